// Finds the route of a request: by host (exact before "*.", the longer suffix first, before none),
// then by the longest path prefix on segment borders. A host whose paths do not match falls through
// to the next wider one. Built once from the routes, holds indexes only, never changes.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gateway::config {

struct Route;

class Router {
 public:
  // Two routes that could both claim a request with the same right.
  struct Tie {
    size_t first;
    size_t second;
    std::string host;  // empty: any host
  };

  // Adds a route under its position in Config::routes; the first tie with an earlier one, if any,
  // leaves the earlier one in force.
  std::optional<Tie> add(size_t index, const Route& route);

  // `host` lower-case without port, `path` normalised, as Config::match wants them.
  std::optional<size_t> match(std::string_view host, std::string_view path) const;

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct Prefix {
    std::string path;
    size_t route;
  };
  using Prefixes = std::vector<Prefix>;  // longest first
  using ByHost = std::unordered_map<std::string, Prefixes, TextHash, std::equal_to<>>;

  static std::optional<size_t> find(const Prefixes& prefixes, std::string_view path);
  static std::optional<size_t> find(const ByHost& table, std::string_view host,
                                    std::string_view path);

  ByHost exact_;
  ByHost by_suffix_;  // keyed by ".example.org" for "*.example.org"
  Prefixes any_;
};

}  // namespace gateway::config
