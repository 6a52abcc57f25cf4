#include "gateway/config/difference.hh"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "gateway/config/server_entry.hh"

namespace gateway::config {
namespace {

std::string name_of(const Listener& listener) {
  return "listener " + listener.address.text();
}

std::string name_of(const Route& route) {
  return "route " + route.name;
}

std::string name_of(const Pool& pool) {
  return "pool " + pool.name;
}

// The members of each are named one by one: who adds one has to say here what it means.

bool is_same(const std::optional<ClientCertificates>& one,
             const std::optional<ClientCertificates>& other) {
  if (!one || !other) return !one && !other;
  const auto& [ca_path, crl_path, check] = *one;
  (void)ca_path, (void)crl_path;
  return check == other->check;
}

// A certificate that is made in memory is as good as the next one.
bool is_same(const std::optional<Tls>& one, const std::optional<Tls>& other) {
  if (!one || !other) return !one && !other;
  const auto& [self_signed, certificates, pems, clients, policies, policy_names] = *one;
  (void)certificates;  // where they were read
  (void)policy_names;  // what the policies say, too
  const auto is_same_policy = [](const NamePolicy& left, const NamePolicy& right) {
    return left.names == right.names && is_same(left.clients, right.clients);
  };
  if (!is_same(clients, other->clients) ||
      !std::ranges::equal(policies, other->policies, is_same_policy))
    return false;
  return (self_signed && other->self_signed) ||
         (self_signed == other->self_signed && pems == other->pems);
}

bool is_same(const Listener& one, const Listener& other) {
  const auto& [address, tls, unix_file, redirect_port, tcp, connections_max, access, proxy_headers,
               place] = one;
  (void)place;
  return address == other.address && is_same(tls, other.tls) && unix_file == other.unix_file &&
         redirect_port == other.redirect_port && tcp == other.tcp &&
         connections_max == other.connections_max && access == other.access &&
         proxy_headers == other.proxy_headers;
}

// Beside where it listens.
bool is_same_but_address(const AdminSettings& one, const AdminSettings& other) {
  const auto& [address, unix_file, tls, hosts, token_path, token, capture_payload] = one;
  (void)address, (void)unix_file;
  return is_same(tls, other.tls) && hosts == other.hosts && token_path == other.token_path &&
         token == other.token && capture_payload == other.capture_payload;
}

bool is_same(const std::optional<PoolTls>& one, const std::optional<PoolTls>& other) {
  if (!one || !other) return !one && !other;
  const auto& [name, ca_path, ca, verify, place] = *one;
  (void)ca_path;
  (void)place;
  return name == other->name && ca == other->ca && verify == other->verify;
}

// But for its pool, which the configurations number each in its own way.
bool is_same(const std::optional<TracingSettings>& one,
             const std::optional<TracingSettings>& other) {
  if (!one || !other) return !one && !other;
  TracingSettings same_pool = *one;
  same_pool.pool = other->pool;
  return same_pool == *other;
}

std::string_view pool_name(const Config& config, const Route& route) {
  const bool asks_servers = !route.answer && !route.redirect;
  return asks_servers ? std::string_view(config.pools[route.pool].name) : "";
}

// But for their pools, which the configurations number each in its own way.
bool is_same(const Route& one, const Route& other) {
  const auto& [name, hosts, path, pool, escaped_slashes, methods, access, upgrades, answer,
               redirect, strip_prefix, request_headers, response_headers, timeouts, limits,
               websocket, auth, marking] = one;
  (void)pool;
  return name == other.name && hosts == other.hosts && path == other.path &&
         escaped_slashes == other.escaped_slashes && methods == other.methods &&
         access == other.access && upgrades == other.upgrades && answer == other.answer &&
         redirect == other.redirect && strip_prefix == other.strip_prefix &&
         request_headers == other.request_headers && response_headers == other.response_headers &&
         timeouts == other.timeouts && limits == other.limits && websocket == other.websocket &&
         auth == other.auth && marking == other.marking;
}

bool is_same_but_servers(const Pool& one, const Pool& other) {
  const auto& [name, servers, entries, balance, keep_alive, tls, tcp, health, proxy_header, sources,
               is_of_url] = one;
  (void)servers, (void)entries, (void)is_of_url;
  return name == other.name && balance == other.balance && keep_alive == other.keep_alive &&
         is_same(tls, other.tls) && tcp == other.tcp && health == other.health &&
         proxy_header == other.proxy_header && sources == other.sources;
}

bool is_same_but_memory(const Limits& one, const Limits& other) {
  const auto& [header_bytes, header_fields, target_bytes, requests, compression_bytes] = one;
  (void)compression_bytes;
  return header_bytes == other.header_bytes && header_fields == other.header_fields &&
         target_bytes == other.target_bytes && requests == other.requests;
}

// But for the table's size, which a reload leaves as it is.
bool is_same_but_table(const ClientLimits& one, const ClientLimits& other) {
  const auto& [connections, addresses, table_full, handshakes_waiting, memory_bytes_max, address] =
      one;
  (void)addresses;
  return connections == other.connections && table_full == other.table_full &&
         handshakes_waiting == other.handshakes_waiting &&
         memory_bytes_max == other.memory_bytes_max && address == other.address;
}

// Nothing: whoever started it.
std::optional<uid_t> user_of(const Config& config) {
  return config.account ? std::optional(config.account->uid) : std::nullopt;
}

std::optional<gid_t> group_of(const Config& config) {
  return config.account ? std::optional(config.account->gid) : std::nullopt;
}

class Comparison {
 public:
  Comparison(const Config& before, const Config& now) : before_(before), now_(now) {}

  Difference take() {
    compare_each(before_.listeners, now_.listeners, [](const Listener& one, const Listener& other) {
      return one.address == other.address;
    });
    compare_each(before_.routes, now_.routes,
                 [](const Route& one, const Route& other) { return one.name == other.name; });
    compare_each(before_.pools, now_.pools,
                 [](const Pool& one, const Pool& other) { return one.name == other.name; });
    compare_the_rest();
    return std::move(result_);
  }

 private:
  // Calls what has become of each entry.
  template <class Entry, class IsOne>
  void compare_each(const std::vector<Entry>& before, const std::vector<Entry>& now, IsOne is_one) {
    const auto find = [&](const std::vector<Entry>& in, const Entry& wanted) {
      return std::ranges::find_if(in, [&](const Entry& entry) { return is_one(entry, wanted); });
    };
    for (const Entry& entry : before) {
      if (find(now, entry) != now.end()) continue;
      add(name_of(entry) + " removed");
      if constexpr (!std::is_same_v<Entry, Listener>) result_.leaves_orphans = true;
    }
    for (const Entry& entry : now) {
      const auto earlier = find(before, entry);
      if (earlier == before.end()) {
        add(name_of(entry) + " added");
      } else {
        compare_one(*earlier, entry);
      }
    }
  }

  void compare_one(const Listener& before, const Listener& now) {
    if (!is_same(before, now)) add(name_of(now) + " changed");
  }

  void compare_one(const Route& before, const Route& now) {
    const bool same_pool = pool_name(before_, before) == pool_name(now_, now);
    if (!same_pool || !is_same(before, now)) add(name_of(now) + " changed");
  }

  // By what is written: what names stand for is looked up again and again, whatever the file says.
  void compare_one(const Pool& before, const Pool& now) {
    const std::size_t added = count_missing(now.entries, before.entries);
    const std::size_t removed = count_missing(before.entries, now.entries);
    std::string what;
    if (added > 0) what += fmt::format(", +{} server{}", added, added == 1 ? "" : "s");
    if (removed > 0) what += fmt::format(", {} draining", removed);
    if (removed > 0) result_.leaves_orphans = true;
    if (has_moved(before, now)) what += ", other addresses";
    if (differs(before, now)) what += ", changed";
    if (!what.empty()) add(name_of(now) + " " + what.substr(2));
  }

  static const ServerEntry* find(const std::vector<ServerEntry>& in, const std::string& text) {
    const auto found = std::ranges::find_if(
        in, [&](const ServerEntry& entry) { return entry.server.text == text; });
    return found == in.end() ? nullptr : &*found;
  }

  // How many of `these` are not in `those`.
  static std::size_t count_missing(const std::vector<ServerEntry>& these,
                                   const std::vector<ServerEntry>& those) {
    return static_cast<std::size_t>(std::ranges::count_if(these, [&](const ServerEntry& entry) {
      return find(those, entry.server.text) == nullptr;
    }));
  }

  // Of what is not looked up again, such as localhost.
  static bool has_moved(const Pool& before, const Pool& now) {
    return std::ranges::any_of(now.entries, [&](const ServerEntry& entry) {
      const ServerEntry* const earlier = find(before.entries, entry.server.text);
      return earlier != nullptr &&
             !std::ranges::is_permutation(earlier->server.addresses, entry.server.addresses);
    });
  }

  static bool differs(const Pool& before, const Pool& now) {
    if (!is_same_but_servers(before, now)) return true;
    return std::ranges::any_of(now.entries, [&](const ServerEntry& entry) {
      const ServerEntry* const earlier = find(before.entries, entry.server.text);
      if (earlier == nullptr) return false;
      ServerEntry same_place = *earlier;
      same_place.server.addresses = entry.server.addresses;
      return !is_same_entry(same_place, entry);
    });
  }

  void compare_the_rest() {
    const auto& [file, shards, account, account_place, filters_system_calls, pid_file, zone, secret,
                 listeners, pools, routes, resolver, defaults, timeouts, limits, client_limits,
                 trusted_proxies, drain, reload, upgrade, via, log, control, admin, tracing, router,
                 warnings] = before_;
    // What these mean is in the routes, or is compared already.
    (void)file, (void)listeners, (void)pools, (void)routes, (void)router;
    (void)warnings, (void)account_place, (void)account;
    changed("zone", zone == now_.zone);
    changed("secret", secret == now_.secret);
    changed("[resolver]", resolver == now_.resolver);
    changed("[timeouts]", timeouts == now_.timeouts);
    changed("[limits]", is_same_but_memory(limits, now_.limits) &&
                            is_same_but_table(client_limits, now_.client_limits));
    changed("trusted_proxies", trusted_proxies == now_.trusted_proxies);
    changed("[drain]", drain == now_.drain);
    changed("[reload]", reload == now_.reload);
    changed("[upgrade]", upgrade == now_.upgrade);
    changed("via", via == now_.via);
    changed("log.file", log.targets.file == now_.log.targets.file);
    compare_rest_of(log.targets, now_.log.targets);
    changed("log.tls_keys", log.tls_keys == now_.log.tls_keys);
    changed("log.level", log.level == now_.log.level);
    changed("log.websocket_open", log.websocket_open == now_.log.websocket_open);
    changed("log.websocket_every", log.websocket_every == now_.log.websocket_every);
    changed("log.redact", log.redact == now_.log.redact);
    changed("log.headers", log.headers == now_.log.headers);
    // Of what has no route.
    changed("defaults.request_id", defaults.marking.request_id == now_.defaults.marking.request_id);
    changed("defaults.trace", defaults.marking.trace == now_.defaults.marking.trace);
    stays("shards", shards == now_.shards);
    stays("limits.compression_memory", limits.compression_bytes == now_.limits.compression_bytes);
    stays("limits.addresses", client_limits.addresses == now_.client_limits.addresses);
    stays("control.socket", control.socket == now_.control.socket);
    stays("control.state", control.state == now_.control.state);
    changed("[admin]", is_same_but_address(admin, now_.admin));
    stays("admin.address", admin.address == now_.admin.address &&
                               admin.unix_file == now_.admin.unix_file &&
                               admin.tls.has_value() == now_.admin.tls.has_value());
    changed("[tracing]", is_same(tracing, now_.tracing));
    stays("user", user_of(before_) == user_of(now_));
    stays("group", group_of(before_) == group_of(now_));
    stays("seccomp", filters_system_calls == now_.filters_system_calls);
    stays("pid_file", pid_file == now_.pid_file);
    stays("log.buffer", log.buffer_bytes == now_.log.buffer_bytes);
  }

  void compare_rest_of(const LogTargets& before, const LogTargets& now) {
    const auto& [file, access_file, format, fields, facility, syslog_socket, journald_socket] =
        before;
    (void)file;
    changed("log.access_file", access_file == now.access_file);
    changed("log.format", format == now.format);
    changed("log.fields", fields == now.fields);
    changed("log.syslog_facility", facility == now.syslog_facility);
    changed("log.syslog_socket", syslog_socket == now.syslog_socket);
    changed("log.journald_socket", journald_socket == now.journald_socket);
  }

  void changed(std::string_view key, bool is_same) {
    if (!is_same) add(fmt::format("{} changed", key));
  }
  void stays(std::string_view key, bool is_same) {
    if (!is_same) result_.needs_restart.emplace_back(key);
  }
  void add(std::string change) { result_.changes.push_back(std::move(change)); }

  const Config& before_;
  const Config& now_;
  Difference result_;
};

}  // namespace

Difference compare(const Config& before, const Config& now) {
  return Comparison(before, now).take();
}

}  // namespace gateway::config
