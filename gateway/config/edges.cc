// What [[listen]] and [pool.NAME] say of PROXY headers, and where connections to servers come from.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/sections.hh"

namespace gateway::config {
namespace {

constexpr std::string_view kProxyKey = "proxy_protocol";
constexpr std::string_view kSourceKey = "source";
constexpr size_t kSourcesMax = 64;  // of a pool

}  // namespace

void read_peers(TableReader& table, std::string_view key, bool may_be_empty,
                TrustedProxies& peers) {
  for (const Text& text : table.texts(key, "[\"10.0.0.0/8\", \"unix\"]", may_be_empty)) {
    if (text.value == "unix") {
      peers.unix_sockets = true;
    } else if (const auto network = parse_network(text.value)) {
      peers.networks.push_back(*network);
    } else {
      table.report().add(text.place, fmt::format("'{}' {}", text.value, network.error()));
    }
  }
}

void read_proxy_headers(TableReader& listen, std::optional<ProxyHeaders>& headers) {
  const toml::node* const node = listen.take(kProxyKey);
  if (node == nullptr) return;
  if (!node->is_table()) {
    return listen.wrong_type(*node, kProxyKey, "{ from = [\"10.0.0.0/8\"], timeout = \"3s\" }");
  }
  listen.inner(kProxyKey, [&](TableReader& inner) {
    ProxyHeaders read;
    read_peers(inner, "from", false, read.from);
    inner.duration("timeout", read.timeout);
    if (!inner.has("from"))
      inner.report().add(inner.place(),
                         "'proxy_protocol' needs 'from', whose headers are believed, such as from "
                         "= [\"10.0.0.0/8\"]");
    headers = read;
  });
}

void read_sources(TableReader& table, Pool& pool) {
  Report& report = table.report();
  for (const Text& text : table.texts(kSourceKey, "[\"10.0.0.5\", \"10.0.0.6\"]")) {
    const auto address = literal_address({text.value, 0});
    const bool is_any = address && (text.value == "0.0.0.0" || *octets_of(*address) == Octets{});
    if (!address || is_any) {
      report.add(text.place, fmt::format("'{}' must be an IP address of this machine, such as "
                                         "\"10.0.0.5\"",
                                         text.value));
    } else if (std::ranges::find(pool.sources, *address) != pool.sources.end()) {
      report.add(text.place, fmt::format("'{}' is given twice", text.value));
    } else {
      pool.sources.push_back(*address);
    }
  }
  if (pool.sources.size() > kSourcesMax)
    report.add(table.place(kSourceKey),
               fmt::format("a pool may have {} sources, not {}", kSourcesMax, pool.sources.size()));
  const auto is_dialled_from = [&](const Address& server) {
    return server.is_unix() || std::ranges::any_of(pool.sources, [&](const Address& source) {
             return source.family() == server.family();
           });
  };
  for (const Server& server : pool.servers) {
    const bool is_left_out =
        !pool.sources.empty() && std::ranges::none_of(server.addresses, is_dialled_from);
    if (!is_left_out) continue;
    report.add(
        table.place(kSourceKey),
        fmt::format("none of the addresses in 'source' is of the family of server '{}', "
                    "{}: add one",
                    server.text, server.addresses.front().family() == AF_INET ? "IPv4" : "IPv6"));
  }
  const bool is_unix =
      !pool.servers.empty() &&
      std::ranges::all_of(pool.servers, [](const Server& server) { return server.host.empty(); });
  if (is_unix && table.has(kSourceKey))
    report.add(table.place(kSourceKey), "'source' is for TCP, not for Unix sockets");
}

void read_pool_edges(TableReader& table, Pool& pool) {
  if (const auto version = table.choice(kProxyKey, kProxyVersionNames))
    pool.proxy_header = static_cast<proxy::Version>(*version);
  read_sources(table, pool);
}

}  // namespace gateway::config
