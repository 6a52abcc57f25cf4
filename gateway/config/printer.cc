// The effective configuration as TOML: every key that the reader knows, in the order of
// gateway.conf.
#include <fmt/format.h>

#include <iterator>

#include "gateway/config/reader.hh"
#include "gateway/config/units.hh"

namespace gateway::config {
namespace {

class Printer {
 public:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// A TOML basic string.
std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\u{:04X}", byte);
    } else {
      result += c;
    }
  }
  return result + '"';
}

template <typename List, typename Print>
std::string list(const List& items, Print&& print) {
  std::string result = "[";
  for (const auto& item : items) {
    if (result.size() > 1) result += ", ";
    result += print(item);
  }
  return result + "]";
}

std::string print_certificate(const Certificate& certificate) {
  return fmt::format("{{ chain = {}, key = {} }}", quote(certificate.chain_path),
                     quote(certificate.key_path));
}

void print_listener(Printer& out, const Listener& listener) {
  out.line("\n[[listen]]");
  out.line("address = {}", quote(listener.address.text()));
  if (!listener.tls) return;
  out.line("certificates = {}", listener.tls->self_signed
                                    ? quote("self-signed")
                                    : list(listener.tls->certificates, print_certificate));
}

void print_route(Printer& out, const Route& route, const Config& config) {
  out.line("\n[[route]]");
  out.line("name = {}", quote(route.name));
  if (!route.hosts.empty()) out.line("host = {}", list(route.hosts, quote));
  out.line("path = {}", quote(route.path));
  out.line("pool = {}", quote(config.pools[route.pool].name));
}

void print_timeouts(Printer& out, const Timeouts& timeouts) {
  const auto duration = [](auto value) { return quote(print_duration(value)); };
  out.line("\n[timeouts]");
  out.line("tls_handshake = {}", duration(timeouts.tls_handshake));
  out.line("request_header = {}", duration(timeouts.request_header));
  out.line("connect = {}", duration(timeouts.connect));
  out.line("upstream_response = {}", duration(timeouts.upstream_response));
  out.line("websocket_idle = {}",
           timeouts.websocket_idle.count() == 0 ? quote("off") : duration(timeouts.websocket_idle));
}

}  // namespace

std::string to_toml(const Config& config) {
  Printer out;
  out.line("shards = {}", config.shards == 0 ? quote("auto") : fmt::to_string(config.shards));
  for (const Listener& listener : config.listeners) print_listener(out, listener);
  for (const Pool& pool : config.pools) {
    const bool bare = pool.name.find('.') == std::string::npos;
    out.line("\n[pool.{}]", bare ? pool.name : quote(pool.name));
    out.line("servers = {}",
             list(pool.servers, [](const Server& server) { return quote(server.text); }));
  }
  for (const Route& route : config.routes) print_route(out, route, config);
  print_timeouts(out, config.timeouts);
  out.line("\n[log]");
  out.line("file = {}", quote(config.log.file));
  out.line("level = {}", quote(name_of(config.log.level)));
  out.line("buffer = {}", quote(print_size(config.log.buffer_bytes)));
  return out.take();
}

}  // namespace gateway::config
