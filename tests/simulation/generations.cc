#include "tests/simulation/generations.hh"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "gateway/config/reader.hh"
#include "tests/simulation/certificate.hh"

namespace simulation {
namespace {

// Far beyond Limits::kPatience: whoever is given so long waits for ever.
constexpr std::string_view kEndless =
    "request_body_idle = \"24h\"\nconnect = \"24h\"\nupstream_response = \"24h\"\n"
    "response_idle = \"24h\"\nwebsocket_idle = \"off\"\n";

std::string milliseconds_of(std::string_view key, milliseconds value) {
  return fmt::format("{} = \"{}ms\"\n", key, value.count());
}

std::string timeouts_of_routes() {
  return milliseconds_of("request_body_idle", Limits::kBodyIdle) +
         milliseconds_of("connect", Limits::kConnect) +
         milliseconds_of("upstream_response", Limits::kResponse) +
         milliseconds_of("response_idle", Limits::kResponseIdle) +
         milliseconds_of("websocket_idle", Limits::kWebSocketIdle);
}

std::string config_text(bool routes_override) {
  std::string text =
      "[[listen]]\naddress = \"0.0.0.0:80\"\n[[listen]]\naddress = \"unix:/run/gateway.sock\"\n"
      "[[listen]]\naddress = \"0.0.0.0:443\"\n"
      "[log]\nlevel = \"debug\"\n[timeouts]\n";
  text += milliseconds_of("tls_handshake", Limits::kTlsHandshake);
  text += milliseconds_of("request_header", Limits::kRequestHeader);
  text += milliseconds_of("keep_alive_idle", Limits::kKeepAlive);
  text += "[defaults.timeouts]\n";
  text += routes_override ? std::string(kEndless) : timeouts_of_routes();
  for (unsigned pool = 0; pool < kPoolKinds; ++pool) {
    text += fmt::format("[[route]]\nhost = \"{}\"\npool = \"{}\"\n",
                        host_of(static_cast<PoolKind>(pool)), name_of(static_cast<PoolKind>(pool)));
    if (routes_override) text += "[route.timeouts]\n" + timeouts_of_routes();
  }
  for (unsigned pool = 0; pool < kPoolKinds; ++pool) {
    std::string servers;
    for (const Site& site : kSites) {
      if (site.pool != static_cast<PoolKind>(pool)) continue;
      servers += fmt::format("{}\"{}\"", servers.empty() ? "" : ", ", site.address);
    }
    text +=
        fmt::format("[pool.{}]\nservers = [{}]\n", name_of(static_cast<PoolKind>(pool)), servers);
    text += milliseconds_of("keep_alive_idle", Limits::kPoolIdle);
  }
  return text;
}

void change(gateway::config::Config& config, std::uint64_t number) {
  for (gateway::config::Pool& pool : config.pools) {
    if (number % 2 == 0 && pool.servers.size() > 1) pool.servers.pop_back();
    if (number % 3 == 0 && pool.tls) pool.tls->verify = false;
  }
}

}  // namespace

// The certificate is in no file, so it is put in here.
gateway::config::SharedGeneration read_generation(std::uint64_t number, bool routes_override) {
  auto config = gateway::config::read_text(config_text(routes_override), "/run/simulated.conf");
  if (config) {
    config->listeners[static_cast<std::size_t>(Entry::kSecure)].tls = {
        .pems = {{kCertificate, kKey}}};
    for (gateway::config::Pool& pool : config->pools) {
      const bool secure = pool.name.starts_with(name_of(PoolKind::kSecure));
      if (secure) pool.tls = {.name = "localhost", .ca = kCertificate};
    }
    change(*config, number);
    return std::make_shared<const gateway::config::Generation>(number, std::move(*config));
  }
  for (const auto& error : config.error()) std::fprintf(stderr, "%s\n", error.text().c_str());
  std::abort();
}

}  // namespace simulation
