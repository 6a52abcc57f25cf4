// `request`, or `pool` and `path`, in [route.auth] and [defaults.auth]: whom the gateway asks
// whether a request may pass.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/config/address.hh"
#include "gateway/config/pem.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/server_entry.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

constexpr size_t kCopiedMax = 32;
constexpr std::string_view kUrlForm = "an URL, such as \"http://127.0.0.1:9100/check\"";

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

// The index of the pool that stands for the URL's server; routes that name the same one share it.
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

void read_url(TableReader& table, const Text& text, const Surroundings& around, Config& config,
              RequestAuth& request) {
  const auto url = url_from(text.value);
  if (!url || !is_path(url->path) || url->host.find('@') != url->host.npos)
    return table.report().add(text.place, fmt::format("'{}' must be {}", text.value, kUrlForm));
  request.url = text.value;
  request.host = url->host;
  request.path = url->path;
  if (const auto pool = pool_of(table, text, *url, around, config)) {
    request.pool = *pool;
    request.pool_name = config.pools[*pool].name;
  }
}

void read_pool(TableReader& table, const Text& text, const Config& config, RequestAuth& request) {
  const auto path = table.required_text("path", "\"/check\"");
  if (path) {
    if (!is_path(path->value))
      table.report().add(path->place,
                         fmt::format("'{}' must be a path, such as \"/check\"", path->value));
    request.path = path->value;
  }
  const auto is_meant = [&](const Pool& pool) {
    return pool.name == text.value && !pool.is_of_url;
  };
  const auto pool = std::ranges::find_if(config.pools, is_meant);
  if (pool == config.pools.end())
    return table.report().add(text.place, fmt::format("unknown pool '{}'", text.value));
  request.pool_name = pool->name;
  request.pool = static_cast<size_t>(pool - config.pools.begin());
}

}  // namespace

void read_auth_request(TableReader& table, const Surroundings& around, Config& config, Auth& auth) {
  RequestAuth request;
  const auto url = table.text("request");
  const auto pool = table.text("pool");
  if (url && table.take("path") != nullptr)
    table.report().add(table.place("path"), "'path' goes with 'pool': an URL has its own");
  if (url && pool)
    table.report().add(pool->place, "'request' names the server already: keep one of the two");
  if (url) {
    read_url(table, *url, around, config, request);
  } else if (pool) {
    read_pool(table, *pool, config, request);
  }
  const size_t errors_before = table.report().count();
  for (Text& name : table.texts("copy", "[\"X-User\"]")) {
    check_owned_header(table, name);
    request.copy.push_back(std::move(name.value));
  }
  if (request.copy.size() > kCopiedMax)
    table.report().add(table.place("copy"), fmt::format("'copy' may have {} headers, not {}",
                                                        kCopiedMax, request.copy.size()));
  table.duration("timeout", request.timeout);
  if (url || pool) {
    auth.request = std::move(request);
    return;
  }
  for (const std::string_view key : {"copy", "timeout", "path"}) {
    if (table.has(key) && table.report().count() == errors_before)
      table.report().add(table.place(key), fmt::format("'{}' goes with 'request' or 'pool'", key));
  }
}

}  // namespace gateway::config
