// The effective configuration as TOML: every key that the reader knows, in the order of
// gateway.conf; of a route's timeouts, limits and websocket what it overrides.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "gateway/config/auth_lines.hh"
#include "gateway/config/balance_printer.hh"
#include "gateway/config/listener_printer.hh"
#include "gateway/config/log_lines.hh"
#include "gateway/config/pool_health_text.hh"
#include "gateway/config/reader.hh"
#include "gateway/config/route_timeouts.hh"
#include "gateway/config/toml_text.hh"
#include "gateway/config/tracing_lines.hh"
#include "gateway/config/units.hh"
#include "gateway/config/websocket_keys.hh"

namespace gateway::config {
namespace {

class Printer {
 public:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  void text(std::string_view lines) { text_ += lines; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string duration(std::chrono::milliseconds value) {
  return toml_duration(value);
}

std::string duration_or_off(std::chrono::milliseconds value) {
  return toml_duration_or_off(value);
}

std::string size_or_off(std::uint64_t bytes) {
  return quote(bytes == 0 ? "off" : print_size(bytes));
}

void print_tcp(Printer& out, const uring::TcpOptions& tcp) {
  out.line("tcp_user_timeout = {}", duration_or_off(tcp.user_timeout));
  const uring::TcpKeepAlive& keep_alive = tcp.keep_alive;
  if (keep_alive.idle.count() == 0) {
    out.line("tcp_keepalive = {}", quote("off"));
  } else {
    out.line("tcp_keepalive = {{ idle = {}, interval = {}, probes = {} }}",
             duration(keep_alive.idle), duration(keep_alive.interval), keep_alive.probes);
  }
  out.line("tcp_notsent_lowat = {}", size_or_off(tcp.unsent_bytes));
}

void print_access(Printer& out, const Access& access) {
  if (!access.allow.empty()) out.line("allow = {}", list(access.allow, quote));
  if (!access.deny.empty()) out.line("deny = {}", list(access.deny, quote));
}

std::string count_or_off(std::uint64_t count) {
  return count == 0 ? quote("off") : fmt::to_string(count);
}

std::vector<std::string> names_of(const TrustedProxies& peers) {
  std::vector<std::string> names;
  for (const Network& network : peers.networks) names.push_back(network.text());
  if (peers.unix_sockets) names.push_back("unix");
  return names;
}

// Of an address without a port.
std::string host_of(const Address& address) {
  const std::string text = address.text();
  const std::string host = text.substr(0, text.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

void print_pool_edges(Printer& out, const Pool& pool) {
  out.line("proxy_protocol = {}",
           quote(kProxyVersionNames[static_cast<size_t>(pool.proxy_header)]));
  if (pool.sources.empty()) return;
  out.line("source = {}",
           list(pool.sources, [](const Address& one) { return quote(host_of(one)); }));
}

void print_listener(Printer& out, const Listener& listener) {
  out.line("\n[[listen]]");
  out.line("address = {}", quote(listener.address.text()));
  out.text(unix_file_lines(listener.unix_file));
  if (listener.redirect_port) out.line("redirect = \"https:{}\"", *listener.redirect_port);
  if (!listener.address.is_unix()) print_tcp(out, listener.tcp);
  out.line("connections = {}", count_or_off(listener.connections_max));
  print_access(out, listener.access);
  if (const auto& headers = listener.proxy_headers)
    out.line("proxy_protocol = {{ from = {}, timeout = {} }}", list(names_of(headers->from), quote),
             duration(headers->timeout));
  if (listener.tls) out.text(tls_lines(*listener.tls));
}

// What is said of it beside its address makes it a table.
std::string print_entry(const ServerEntry& entry) {
  const Server& server = entry.server;
  std::string more;
  if (entry.is_one) more += ", resolve = " + quote("one");
  if (server.weight != 1) more += fmt::format(", weight = {}", server.weight);
  if (server.backup) more += ", backup = true";
  if (!server.zone.empty()) more += fmt::format(", zone = {}", quote(server.zone));
  if (server.connections_max != 0)
    more += fmt::format(", connections_max = {}", server.connections_max);
  const std::string address = quote(server.text);
  return more.empty() ? address : fmt::format("{{ address = {}{} }}", address, more);
}

void print_pool(Printer& out, const Pool& pool) {
  // A point in a bare key would begin a table of its own.
  const bool bare = pool.name.find('.') == std::string::npos;
  const std::string name = bare ? pool.name : quote(pool.name);
  out.line("\n[pool.{}]", name);
  out.line("servers = {}", list(pool.entries, print_entry));
  for (const std::string& line : balance_lines(pool.balance)) out.line("{}", line);
  out.line("keep_alive_idle = {}", duration_or_off(pool.keep_alive.idle));
  out.line("keep_alive_age = {}", duration(pool.keep_alive.age));
  out.line("keep_alive_connections = {}", pool.keep_alive.count);
  const auto is_unix = [](const Server& server) { return server.host.empty(); };
  if (!std::ranges::all_of(pool.servers, is_unix)) print_tcp(out, pool.tcp);
  print_pool_edges(out, pool);
  out.text(pool_health_keys(pool.health));
  out.text(pool_health_tables(pool.health, name));
  if (!pool.tls) return;
  out.line("[pool.{}.tls]", name);
  if (!pool.tls->name.empty()) out.line("name = {}", quote(pool.tls->name));
  if (!pool.tls->ca_path.empty()) out.line("ca = {}", quote(pool.tls->ca_path));
  out.line("verify = {}", pool.tls->verify);
}

// Values of one name stand together.
std::string print_headers(const std::vector<Header>& headers) {
  std::string result = "{ ";
  for (auto at = headers.begin(); at != headers.end();) {
    const auto end = std::find_if(at, headers.end(),
                                  [&](const Header& other) { return other.name != at->name; });
    const std::vector<Header> same(at, end);
    const auto value = [](const Header& header) { return quote(header.value); };
    result += fmt::format("{} = {}", quote(at->name),
                          same.size() == 1 ? quote(at->value) : list(same, value));
    at = end;
    if (at != headers.end()) result += ", ";
  }
  return result + " }";
}

void print_changes(Printer& out, std::string_view name, const HeaderChanges& changes) {
  if (changes.set.empty() && changes.add.empty() && changes.remove.empty()) return;
  out.line("[route.{}]", name);
  if (!changes.set.empty()) out.line("set = {}", print_headers(changes.set));
  if (!changes.add.empty()) out.line("add = {}", print_headers(changes.add));
  if (!changes.remove.empty()) out.line("remove = {}", list(changes.remove, quote));
}

// Those that differ from `others`, if there are any.
std::vector<std::string> websocket_lines(const WebSocket& websocket, const WebSocket* others) {
  std::vector<std::string> lines;
  const auto add = [&](std::string_view name, auto WebSocket::*member, const auto& print) {
    if (others != nullptr && others->*member == websocket.*member) return;
    lines.push_back(fmt::format("{} = {}", name, print(websocket.*member)));
  };
  add("upstream_lost", &WebSocket::upstream_lost_code,
      [](std::uint16_t code) { return code == 0 ? quote("cut") : fmt::to_string(code); });
  const auto bytes_or_off = [](std::uint64_t bytes) { return size_or_off(bytes); };
  add("validate", &WebSocket::validation, [](ws::Validation validation) {
    return quote(kValidationNames[static_cast<size_t>(validation)]);
  });
  add("frame_max", &WebSocket::frame_bytes_max, bytes_or_off);
  add("message_max", &WebSocket::message_bytes_max, bytes_or_off);
  for (const WebSocketDurationKey& key : kWebSocketDurationKeys) {
    add(key.name, key.value, [](auto value) { return duration_or_off(value); });
  }
  add("lifetime_code", &WebSocket::lifetime_code, [](auto code) { return fmt::to_string(code); });
  add("ping_to", &WebSocket::ping_to,
      [](PingTo to) { return quote(kPingToNames[static_cast<size_t>(to)]); });
  for (const WebSocketCountKey& key : kWebSocketCountKeys) add(key.name, key.value, count_or_off);
  add("bytes_per_second", &WebSocket::bytes_per_second, bytes_or_off);
  add("over_limit", &WebSocket::over_limit,
      [](OverLimit over) { return quote(kOverLimitNames[static_cast<size_t>(over)]); });
  add("slow_consumer", &WebSocket::slow_consumer, [](const SlowConsumer& slow) {
    return slow.grace.count() == 0
               ? quote("off")
               : fmt::format("{{ grace = {}, close = {} }}", duration(slow.grace), slow.close_code);
  });
  add("origins", &WebSocket::origins,
      [](const Origins& origins) { return list(origins.texts(), quote); });
  add("subprotocols", &WebSocket::subprotocols,
      [](const std::vector<std::string>& names) { return list(names, quote); });
  add("compression", &WebSocket::compression, [](Compression compression) {
    return quote(kCompressionNames[static_cast<size_t>(compression)]);
  });
  add("compress_min", &WebSocket::compress_bytes_min, bytes_or_off);
  add("compression_level", &WebSocket::compression_level, count_or_off);
  add("context_takeover", &WebSocket::context_takeover,
      [](bool keeps) { return fmt::to_string(keeps); });
  add("compression_ratio_max", &WebSocket::compression_ratio_max, count_or_off);
  return lines;
}

// What a Route or the RouteDefaults has, but for what is as in `others`, if there are any.
template <typename Owner>
void print_bounds(Printer& out, std::string_view name, const Owner& owner,
                  const RouteDefaults* others) {
  std::vector<std::string> timeouts;
  for (const RouteTimeoutKey& key : kRouteTimeoutKeys) {
    const std::chrono::milliseconds value = owner.timeouts.*key.value;
    if (others == nullptr || others->timeouts.*key.value != value)
      timeouts.push_back(fmt::format("{} = {}", key.name, duration_or_off(value)));
  }
  std::vector<std::string> limits;
  if (others == nullptr || others->limits.body_bytes != owner.limits.body_bytes)
    limits.push_back(fmt::format("body = {}", size_or_off(owner.limits.body_bytes)));
  if (others == nullptr || others->limits.connections_max != owner.limits.connections_max)
    limits.push_back(fmt::format("connections = {}", count_or_off(owner.limits.connections_max)));
  const size_t fields = owner.limits.response_header_fields;
  if (others == nullptr || others->limits.response_header_fields != fields)
    limits.push_back(fmt::format("response_header_count = {}", fields));
  const auto table = [&](std::string_view key, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    out.line("{}[{}.{}]", others == nullptr ? "\n" : "", name, key);
    for (const std::string& line : lines) out.line("{}", line);
  };
  table("timeouts", timeouts);
  table("limits", limits);
  table("websocket",
        websocket_lines(owner.websocket, others == nullptr ? nullptr : &others->websocket));
}

void print_route(Printer& out, const Route& route, const Config& config) {
  out.line("\n[[route]]");
  out.line("name = {}", quote(route.name));
  if (!route.hosts.empty()) out.line("host = {}", list(route.hosts, quote));
  out.line("path = {}", quote(route.path));
  out.line("escaped_slashes = {}",
           quote(kEscapedSlashesNames[static_cast<size_t>(route.escaped_slashes)]));
  print_access(out, route.access);
  if (!route.methods.empty()) out.line("methods = {}", list(route.methods, quote));
  out.text(marking_lines(route.marking, &config.defaults.marking));
  const bool has_own_auth = route.auth != config.defaults.auth;
  if (has_own_auth && !route.auth.any()) out.line("auth = {}", quote("off"));
  if (route.answer) {
    out.line("[route.answer]");
    out.line("status = {}", route.answer->status);
    out.line("body = {}", quote(route.answer->body));
    out.line("type = {}", quote(route.answer->type));
    if (route.answer->stopping_status != 0)
      out.line("stopping_status = {}", route.answer->stopping_status);
  } else if (route.redirect) {
    out.line("[route.redirect]");
    out.line("status = {}", route.redirect->status);
    out.line("to = {}", quote(route.redirect->to));
  } else {
    out.line("pool = {}", quote(config.pools[route.pool].name));
    out.line("strip_prefix = {}", route.strip_prefix);
    if (!route.upgrades.empty()) out.line("upgrades = {}", list(route.upgrades, quote));
  }
  print_changes(out, "request_headers", route.request_headers);
  print_changes(out, "response_headers", route.response_headers);
  print_bounds(out, "route", route, &config.defaults);
  if (has_own_auth) {
    for (const std::string& line : auth_lines(route.auth, "route")) out.line("{}", line);
  }
}

void print_timeouts(Printer& out, const Timeouts& timeouts) {
  out.line("\n[timeouts]");
  out.line("tls_handshake = {}", duration(timeouts.tls_handshake));
  out.line("request_header = {}", duration(timeouts.request_header));
  out.line("keep_alive_idle = {}", duration(timeouts.keep_alive_idle));
}

void print_limits(Printer& out, const Limits& limits) {
  out.line("\n[limits]");
  out.line("header = {}", quote(print_size(limits.header_bytes)));
  out.line("header_count = {}", limits.header_fields);
  out.line("target = {}", quote(print_size(limits.target_bytes)));
  out.line("requests_per_connection = {}",
           limits.requests == 0 ? quote("off") : fmt::to_string(limits.requests));
  out.line("compression_memory = {}", quote(print_size(limits.compression_bytes)));
}

void print_client_limits(Printer& out, const ClientLimits& clients) {
  out.line("connections = {}", count_or_off(clients.connections));
  out.line("addresses = {}", clients.addresses);
  out.line("table_full = {}", quote(kTableFullNames[static_cast<size_t>(clients.table_full)]));
  out.line("handshakes_waiting = {}", clients.handshakes_waiting);
  out.line("memory_max = {}",
           quote(clients.memory_bytes_max == 0 ? "auto" : print_size(clients.memory_bytes_max)));
  const AddressLimits& address = clients.address;
  out.line("[limits.address]");
  out.line("connections = {}", count_or_off(address.connections));
  out.line("connections_per_second = {}", count_or_off(address.connections_per_second));
  out.line("handshakes_per_second = {}", count_or_off(address.handshakes_per_second));
  out.line("requests_per_second = {}", count_or_off(address.requests_per_second));
  out.line("burst = {}", duration(address.burst));
}

void print_drain(Printer& out, const DrainSettings& drain) {
  out.line("\n[drain]");
  out.line("delay = {}", duration(drain.delay));
  out.line("over = {}", duration(drain.over));
  out.line("close_code = {}", drain.close_code);
  out.line("close_reason = {}", quote(drain.close_reason));
  out.line("order = {}", quote(kClosingOrderNames[static_cast<size_t>(drain.order)]));
  out.line("hard_stop = {}", duration(drain.hard_stop));
}

void print_reload(Printer& out, const ReloadSettings& reload) {
  out.line("\n[reload]");
  out.line("orphans = {}", quote(kOrphansNames[static_cast<size_t>(reload.orphans)]));
}

void print_trusted_proxies(Printer& out, const TrustedProxies& trusted) {
  const std::vector<std::string> names = names_of(trusted);
  if (!names.empty()) out.line("trusted_proxies = {}", list(names, quote));
}

void print_resolver(Printer& out, const ResolverSettings& resolver) {
  out.line("\n[resolver]");
  if (!resolver.servers.empty())
    out.line("servers = {}",
             list(resolver.servers, [](const Address& server) { return quote(server.text()); }));
  out.line("timeout = {}", duration(resolver.timeout));
  out.line("tries = {}", resolver.tries);
  out.line("ttl_min = {}", duration(resolver.ttl_min));
  out.line("ttl_max = {}", duration(resolver.ttl_max));
}

}  // namespace

std::string to_toml(const Config& config) {
  Printer out;
  out.line("shards = {}", config.shards == 0 ? quote("auto") : fmt::to_string(config.shards));
  if (config.account) {
    out.line("user = {}", quote(config.account->user));
    out.line("group = {}", quote(config.account->group));
  }
  if (!config.pid_file.empty()) out.line("pid_file = {}", quote(config.pid_file));
  out.line("seccomp = {}", quote(config.filters_system_calls ? "on" : "off"));
  if (!config.zone.empty()) out.line("zone = {}", quote(config.zone));
  if (!config.secret.empty()) out.line("# secret = what the file says: it is not shown");
  print_trusted_proxies(out, config.trusted_proxies);
  out.line("via = {}", quote(config.via.empty() ? "off" : config.via));
  for (const Listener& listener : config.listeners) print_listener(out, listener);
  for (const Pool& pool : config.pools) {
    if (!pool.is_of_url) print_pool(out, pool);
  }
  for (const Route& route : config.routes) print_route(out, route, config);
  print_resolver(out, config.resolver);
  out.line("\n[defaults]");
  out.text(marking_lines(config.defaults.marking));
  print_bounds(out, "defaults", config.defaults, nullptr);
  for (const std::string& line : auth_lines(config.defaults.auth, "defaults")) out.line("{}", line);
  print_timeouts(out, config.timeouts);
  print_limits(out, config.limits);
  print_client_limits(out, config.client_limits);
  print_drain(out, config.drain);
  print_reload(out, config.reload);
  out.line("\n[upgrade]");
  out.line("patience = {}", duration(config.upgrade.patience));
  out.text(log_lines(config.log));
  out.line("\n[control]");
  out.line("socket = {}", quote(config.control.socket.empty() ? "off" : config.control.socket));
  out.line("state = {}", quote(config.control.state.empty() ? "off" : config.control.state));
  out.text(admin_lines(config.admin));
  out.text(tracing_lines(config.tracing));
  return out.take();
}

}  // namespace gateway::config
