// `request`, or `pool` and `path`, in [route.auth] and [defaults.auth]: whom the gateway asks
// whether a request may pass.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/config/sections.hh"
#include "gateway/config/url_pool.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

constexpr size_t kCopiedMax = 32;
constexpr std::string_view kUrlExample = "http://127.0.0.1:9100/check";

bool is_path(std::string_view path) {
  return path.starts_with('/') && http::kTargetBytes.prefix(path) == path.size();
}

void read_url(TableReader& table, const Text& text, const Surroundings& around, Config& config,
              RequestAuth& request) {
  request.url = text.value;
  auto server = server_of_url(table, text, kUrlExample, around, config);
  if (!server) return;
  request.host = std::move(server->host);
  request.path = std::move(server->path);
  request.pool = server->pool;
  request.pool_name = config.pools[server->pool].name;
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
