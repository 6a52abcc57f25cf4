// [[route]]: which requests it is for.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "gateway/config/names.hh"
#include "gateway/config/sections.hh"
#include "proto/http/request.hh"
#include "proto/http/syntax.hh"
#include "proto/http/target.hh"

namespace gateway::config {
namespace {

constexpr size_t kUpgradesMax = 16;  // of a route
constexpr size_t kMethodsMax = 32;   // of a route: each request is compared with all

// A route in the file. A name that is no text is given, and yet not there.
struct Written {
  Place place;
  bool is_named = false;
  std::optional<Text> name;
};

// What keeps a path from ever matching a normalised one, in words behind "'PATH' "; or nothing.
std::string path_fault(std::string_view path) {
  if (!path.starts_with('/')) return "must begin with a slash, such as \"/ws\"";
  if (path.find_first_of("?#") != path.npos) return "must be a path without '?' and '#'";
  if (path.find("//") != path.npos) return "must not have an empty segment, '//'";
  const auto unfit = [](char c) { return c <= 0x20 || c == 0x7f || c == '\\' || c == '*'; };
  std::string storage(path.size(), '\0');
  const auto normal = http::normalise_path(path, storage);
  if (std::any_of(path.begin(), path.end(), unfit) ||
      (normal && std::any_of(normal->begin(), normal->end(), unfit)))
    return "must be of visible ASCII characters, without '*' and '\\': it is a prefix as it is";
  if (!normal) return "has a bad percent escape, or a dot segment with a parameter";
  if (*normal != path) return fmt::format("is never asked for like this: write '{}'", *normal);
  return {};
}

std::string read_path(TableReader& table) {
  const auto text = table.text("path");
  if (!text) return "/";
  const std::string fault = path_fault(text->value);
  if (!fault.empty()) table.report().add(text->place, fmt::format("'{}' {}", text->value, fault));
  std::string path = text->value;
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::vector<std::string> read_hosts(TableReader& table) {
  std::vector<std::string> hosts;
  for (Text& text : table.texts("host", "[\"example.com\", \"*.example.com\"]")) {
    std::string host = text.value;
    for (char& c : host) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (host == "*") {
      table.report().add(text.place, "'*' matches nothing: leave 'host' out to match any host");
    } else if (host.ends_with('.') && is_host(host.substr(0, host.size() - 1))) {
      table.report().add(text.place, fmt::format("'{}' ends in a dot: leave the dot out, it is "
                                                 "taken off what is asked for, too",
                                                 text.value));
    } else if (!is_host(host)) {
      table.report().add(text.place,
                         fmt::format("'{}' must be a host name without scheme and port, such as "
                                     "\"example.com\" or \"*.example.com\"",
                                     text.value));
    } else {
      hosts.push_back(std::move(host));
    }
  }
  return hosts;
}

// What is wrong with a method, in words behind "'METHOD' "; or nothing.
std::string method_fault(std::string_view method) {
  if (!http::is_token(method)) return "must be a method, such as \"GET\"";
  std::string upper(method);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (upper == "CONNECT") return "is not for a reverse proxy";
  const bool is_meant = http::method_of(method) == http::Method::kOther &&
                        http::method_of(upper) != http::Method::kOther;
  if (is_meant) return fmt::format("is never asked for like this: write '{}'", upper);
  return {};
}

std::vector<std::string> read_methods(TableReader& table) {
  std::vector<std::string> methods;
  Report& report = table.report();
  for (const Text& text : table.texts("methods", "[\"GET\", \"HEAD\"]")) {
    const std::string fault = method_fault(text.value);
    if (!fault.empty()) report.add(text.place, fmt::format("'{}' {}", text.value, fault));
    if (std::find(methods.begin(), methods.end(), text.value) != methods.end())
      report.add(text.place, fmt::format("'{}' is given twice", text.value));
    methods.push_back(text.value);
  }
  if (methods.size() > kMethodsMax)
    report.add(table.place("methods"),
               fmt::format("a route may list {} methods, not {}", kMethodsMax, methods.size()));
  return methods;
}

// What is wrong with a protocol, in words behind "'PROTOCOL' "; or nothing.
std::string upgrade_fault(std::string_view protocol) {
  const size_t slash = protocol.find('/');
  const std::string_view name = protocol.substr(0, slash);
  const bool is_protocol = http::is_token(name) &&
                           (slash == protocol.npos || http::is_token(protocol.substr(slash + 1)));
  if (!is_protocol) return "must be a protocol, such as \"tcp\" or \"SPDY/3.1\"";
  if (http::equals_ignoring_case(name, "websocket"))
    return "passes on all routes, as a WebSocket: leave it out";
  // Requests in it would go past all routes and limits.
  for (const std::string_view refused : {"h2c", "h2", "HTTP", "TLS"}) {
    if (http::equals_ignoring_case(name, refused))
      return "never passes: what is said in it would be judged by nobody";
  }
  return {};
}

std::vector<std::string> read_upgrades(TableReader& table) {
  std::vector<std::string> upgrades;
  Report& report = table.report();
  for (const Text& text : table.texts("upgrades", "[\"tcp\", \"SPDY/3.1\"]", true)) {
    const std::string fault = upgrade_fault(text.value);
    if (!fault.empty()) report.add(text.place, fmt::format("'{}' {}", text.value, fault));
    const auto is_same = [&](const std::string& one) {
      return http::equals_ignoring_case(one, text.value);
    };
    if (std::ranges::any_of(upgrades, is_same))
      report.add(text.place, fmt::format("'{}' is given twice", text.value));
    upgrades.push_back(text.value);
  }
  if (upgrades.size() > kUpgradesMax)
    report.add(table.place("upgrades"),
               fmt::format("a route may list {} upgrades, not {}", kUpgradesMax, upgrades.size()));
  return upgrades;
}

std::string default_name(size_t index) {
  return fmt::format("route-{}", index + 1);
}

Written read_route_name(TableReader& table, const std::vector<Written>& others) {
  Written written{table.place(), table.has("name"), table.text("name")};
  const auto& name = written.name;
  if (!name) return written;
  if (!is_name(name->value))
    table.report().add(name->place,
                       fmt::format("'{}' must be a name of letters, digits and -_.", name->value));
  const auto same = [&](const Written& other) {
    return other.name && other.name->value == name->value;
  };
  if (std::any_of(others.begin(), others.end(), same))
    table.report().add(name->place, fmt::format("a route is named '{}' already", name->value));
  return written;
}

// A default name goes by position, whatever the others are called.
void check_default_names(Report& report, const std::vector<Written>& routes) {
  for (size_t index = 0; index < routes.size(); ++index) {
    if (routes[index].is_named) continue;
    const std::string name = default_name(index);
    for (const Written& other : routes) {
      if (!other.name || other.name->value != name) continue;
      report.add(other.name->place,
                 fmt::format("'{}' is the default name of the route in line {}: take another one, "
                             "or give that route a name, too",
                             name, routes[index].place.line));
    }
  }
}

}  // namespace

void read_routes(TableReader& file, const Surroundings& around, Config& config) {
  std::vector<Written> written;
  file.each("route", [&](TableReader& table) {
    Route route;
    const size_t errors_before = table.report().count();
    written.push_back(read_route_name(table, written));
    const auto& name = written.back().name;
    route.name = name ? name->value : default_name(config.routes.size());
    route.hosts = read_hosts(table);
    route.path = read_path(table);
    if (const auto slashes = table.choice("escaped_slashes", kEscapedSlashesNames))
      route.escaped_slashes = static_cast<EscapedSlashes>(*slashes);
    const bool matches = table.report().count() == errors_before;
    route.methods = read_methods(table);
    route.access = read_access(table, around.folder, around.lists);
    route.upgrades = read_upgrades(table);
    route.timeouts = config.defaults.timeouts;
    route.limits = config.defaults.limits;
    route.websocket = config.defaults.websocket;
    route.auth = config.defaults.auth;
    read_action(table, config, route);
    if (table.has("upgrades") && (route.answer || route.redirect))
      table.report().add(table.place("upgrades"), "'upgrades' is for routes with a pool");
    read_bounds_of_route(table, route);
    read_header_changes(table, route);
    read_auth(table, around, config, route.auth);
    own_headers_of_auth(table, route);
    route.marking = config.defaults.marking;
    read_marking(table, route.marking);
    own_marks(table, route);
    config.routes.push_back(route);
    if (!matches) return;  // without its true host or path it may tie by mistake
    const auto tie = config.router.add(config.routes.size() - 1, route);
    if (!tie) return;
    const std::string host = tie->host.empty() ? "any host" : fmt::format("host '{}'", tie->host);
    if (tie->first == tie->second) {
      table.report().add(table.place(), fmt::format("{} is given twice", host));
    } else {
      table.report().add(table.place(),
                         fmt::format("this route ties with '{}' in line {}: both take {} with "
                                     "path '{}'",
                                     config.routes[tie->first].name, written[tie->first].place.line,
                                     host, route.path));
    }
  });
  own_headers_of_pools(config.routes);
  check_default_names(file.report(), written);
}

}  // namespace gateway::config
