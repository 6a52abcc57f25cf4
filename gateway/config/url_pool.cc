#include "gateway/config/url_pool.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/config/pem.hh"
#include "gateway/config/server_entry.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

struct Url {
  bool secure = false;
  std::string host;    // as Host has it
  std::string server;  // with its port
  std::string path = "/";
};

std::optional<Url> url_from(std::string_view text) {
  Url url;
  url.secure = text.starts_with("https://");
  if (!url.secure && !text.starts_with("http://")) return std::nullopt;
  text.remove_prefix(text.find("//") + 2);
  const size_t end = std::min(text.find_first_of("/?#"), text.size());
  url.host = text.substr(0, end);
  if (end < text.size()) url.path = text.substr(end);
  const size_t colon = url.host.rfind(':');
  const size_t bracket = url.host.rfind(']');
  const bool has_port = colon != url.host.npos && (bracket == url.host.npos || colon > bracket);
  url.server = has_port ? url.host : url.host + (url.secure ? ":443" : ":80");
  return url;
}

bool is_path(std::string_view path) {
  return path.starts_with('/') && http::kTargetBytes.prefix(path) == path.size();
}

// Its index.
std::optional<size_t> pool_of(TableReader& table, const Text& text, const Url& url,
                              const Surroundings& around, Config& config) {
  const std::string name = (url.secure ? "https://" : "http://") + url.server;
  const auto known = std::ranges::find(config.pools, name, &Pool::name);
  if (known != config.pools.end()) return static_cast<size_t>(known - config.pools.begin());
  auto entry = entry_from(url.server, around.folder);
  if (!entry) {
    table.report().add(text.place, entry.error());
    return std::nullopt;
  }
  if (const auto resolved = resolve_entry(*entry, around.resolve, around.resolver); !resolved) {
    table.report().add(text.place, resolved.error());
    return std::nullopt;
  }
  Pool pool;
  pool.name = name;
  pool.entries.push_back(*std::move(entry));
  pool.servers = servers_of(pool.entries);
  pool.is_of_url = true;
  if (url.secure) {
    pool.tls.emplace();
    pool.tls->place = text.place;
    if (const auto loaded = load_system_ca(around.pems, *pool.tls); !loaded)
      table.report().add(text.place, loaded.error());
  }
  config.pools.push_back(std::move(pool));
  return config.pools.size() - 1;
}

}  // namespace

std::optional<UrlServer> server_of_url(TableReader& table, const Text& text,
                                       std::string_view example, const Surroundings& around,
                                       Config& config) {
  auto url = url_from(text.value);
  if (!url || !is_path(url->path) || url->host.find('@') != url->host.npos) {
    table.report().add(text.place,
                       fmt::format("'{}' must be an URL, such as \"{}\"", text.value, example));
    return std::nullopt;
  }
  const auto pool = pool_of(table, text, *url, around, config);
  if (!pool) return std::nullopt;
  return UrlServer{*pool, std::move(url->host), std::move(url->path)};
}

}  // namespace gateway::config
