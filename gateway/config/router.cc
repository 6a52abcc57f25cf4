#include "gateway/config/router.hh"

#include <algorithm>

#include "gateway/config/config.hh"

namespace gateway::config {
namespace {

// No route's host is longer (RFC 1035 section 2.3.4), so a longer one needs no look-ups: they would
// cost a client's choice of dots times its choice of length.
constexpr size_t kHostBytesMax = 255;

bool has_prefix(std::string_view path, std::string_view prefix) {
  if (prefix == "/") return path.starts_with('/');
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

std::optional<Router::Tie> Router::add(size_t index, const Route& route) {
  std::optional<Tie> tie;
  const auto insert = [&](Prefixes& prefixes, std::string_view host) {
    const auto longer_or_same = [&](const Prefix& p) {
      return p.path.size() > route.path.size() ||
             (p.path.size() == route.path.size() && p.path != route.path);
    };
    const auto at = std::find_if_not(prefixes.begin(), prefixes.end(), longer_or_same);
    if (at == prefixes.end() || at->path != route.path) {
      prefixes.insert(at, {route.path, index});
    } else if (!tie) {
      tie = Tie{at->route, index, std::string(host)};
    }
  };

  if (route.hosts.empty()) insert(any_, "");
  for (const std::string& host : route.hosts) {
    const bool wild = host.starts_with("*.");
    insert(wild ? by_suffix_[host.substr(1)] : exact_[host], host);
  }
  return tie;
}

std::optional<size_t> Router::match(std::string_view host, std::string_view path) const {
  if (!host.empty() && host.size() <= kHostBytesMax) {
    if (const auto route = find(exact_, host, path)) return route;
    if (!by_suffix_.empty()) {
      // From the first dot on, the longest suffix comes first.
      for (size_t dot = host.find('.', 1); dot != host.npos; dot = host.find('.', dot + 1)) {
        if (const auto route = find(by_suffix_, host.substr(dot), path)) return route;
      }
    }
  }
  return find(any_, path);
}

std::optional<size_t> Router::find(const Prefixes& prefixes, std::string_view path) {
  for (const Prefix& prefix : prefixes) {
    if (has_prefix(path, prefix.path)) return prefix.route;
  }
  return std::nullopt;
}

std::optional<size_t> Router::find(const ByHost& table, std::string_view host,
                                   std::string_view path) {
  const auto found = table.find(host);
  return found == table.end() ? std::nullopt : find(found->second, path);
}

const Route* Config::match(std::string_view host, std::string_view path) const {
  const auto index = router.match(host, path);
  return index ? &routes[*index] : nullptr;
}

}  // namespace gateway::config
