// [pool.NAME] and [[route]]: where requests go.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "gateway/config/sections.hh"
#include "gateway/config/suggest.hh"
#include "proto/http/target.hh"

namespace gateway::config {
namespace {

constexpr size_t kHostBytesMax = 253;  // RFC 1035 section 2.3.4, without the root's dot

bool is_alphanumeric(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

// A name, "*.NAME" or an address as the Host header has it; lower-case already.
bool is_host(std::string_view host) {
  if (host.starts_with('['))
    return host.ends_with(']') &&
           literal_address({std::string(host.substr(1, host.size() - 2)), 1}).has_value();
  if (host.starts_with("*.")) host.remove_prefix(2);
  const auto fits = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  return !host.empty() && host.size() <= kHostBytesMax &&
         std::all_of(host.begin(), host.end(), fits) && host.find("..") == host.npos &&
         host.front() != '.' && host.back() != '.';
}

// What keeps a path from ever matching a normalised one, in words behind "'PATH' "; or nothing.
std::string path_fault(std::string_view path) {
  if (!path.starts_with('/')) return "must begin with a slash, such as \"/ws\"";
  if (path.find_first_of("?#") != path.npos) return "must be a path without '?' and '#'";
  if (path.find("//") != path.npos) return "must not have an empty segment, '//'";
  const auto unfit = [](char c) { return c <= 0x20 || c == 0x7f || c == '\\' || c == '*'; };
  if (std::any_of(path.begin(), path.end(), unfit))
    return "must be of visible ASCII characters, without '*' and '\\': it is a prefix as it is";
  std::string storage(path.size(), '\0');
  const auto normal = http::normalise_path(path, storage);
  if (!normal) return "has a bad percent escape";
  if (*normal != path) return fmt::format("is never asked for like this: write '{}'", *normal);
  return {};
}

std::string read_path(Fields& fields) {
  const auto text = fields.text("path");
  if (!text) return "/";
  const std::string fault = path_fault(text->value);
  if (!fault.empty()) fields.report().add(text->place, fmt::format("'{}' {}", text->value, fault));
  std::string path = text->value;
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::vector<std::string> read_hosts(Fields& fields) {
  std::vector<std::string> hosts;
  for (Text& text : fields.texts("host", "[\"example.com\", \"*.example.com\"]")) {
    std::string host = text.value;
    for (char& c : host) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (host == "*") {
      fields.report().add(text.place, "'*' matches nothing: leave 'host' out to match any host");
    } else if (!is_host(host)) {
      fields.report().add(text.place,
                          fmt::format("'{}' must be a host name without scheme and port, such as "
                                      "\"example.com\" or \"*.example.com\"",
                                      text.value));
    } else {
      hosts.push_back(std::move(host));
    }
  }
  return hosts;
}

size_t read_pool_of_route(Fields& fields, const Config& config) {
  const auto text = fields.required_text("pool", "\"app\"");
  if (!text || config.pools.empty()) return 0;  // that there is no pool is told once
  std::vector<std::string_view> names;
  for (size_t index = 0; index < config.pools.size(); ++index) {
    if (config.pools[index].name == text->value) return index;
    names.push_back(config.pools[index].name);
  }
  const std::string suggestion = did_you_mean(text->value, names);
  fields.report().add(
      text->place,
      fmt::format(
          "unknown pool '{}'{}", text->value,
          suggestion.empty() ? fmt::format("; there is {}", fmt::join(names, ", ")) : suggestion));
  return 0;
}

std::string read_route_name(Fields& fields, const Config& config) {
  const auto text = fields.text("name");
  if (!text) return fmt::format("route-{}", config.routes.size() + 1);
  if (!is_name(text->value))
    fields.report().add(text->place,
                        fmt::format("'{}' must be a name of letters, digits and -_.", text->value));
  for (const Route& other : config.routes) {
    if (other.name == text->value)
      fields.report().add(text->place, fmt::format("a route is named '{}' already", text->value));
  }
  return text->value;
}

Server read_server(const Text& text, const Resolve& resolve, Report& report) {
  Server server{text.value, {}};
  const auto where = split_host_port(text.value);
  if (!where) {
    report.add(text.place, fmt::format("'{}' {}", text.value, where.error()));
  } else if (const auto literal = literal_address(*where)) {
    server.addresses = {*literal};
  } else if (!is_host(where->host) || where->host.starts_with('*')) {
    report.add(text.place, fmt::format("'{}' must be a host and a port, such as \"127.0.0.1:9001\"",
                                       text.value));
  } else if (auto addresses = resolve(*where)) {
    server.addresses = *std::move(addresses);
  } else {
    report.add(text.place,
               fmt::format("'{}' cannot be resolved: {}", where->host, addresses.error()));
  }
  return server;
}

}  // namespace

bool is_name(std::string_view text) {
  const auto fits = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

void read_pools(Fields& file, const Resolve& resolve, Config& config) {
  file.named("pool", [&](const Text& name, Fields& fields) {
    Report& report = fields.report();
    if (!is_name(name.value))
      report.add(name.place,
                 fmt::format("'{}' must be a name of letters, digits and -_.", name.value));
    Pool pool{name.value, {}};
    const size_t errors_before = report.count();
    for (const Text& text : fields.texts("servers", "[\"127.0.0.1:9001\"]")) {
      const auto same = [&](const Server& other) { return other.text == text.value; };
      if (std::any_of(pool.servers.begin(), pool.servers.end(), same)) {
        report.add(text.place, fmt::format("server '{}' is in this pool already", text.value));
      } else {
        pool.servers.push_back(read_server(text, resolve, report));
      }
    }
    if (pool.servers.empty() && report.count() == errors_before)
      report.add(fields.place(), fmt::format("[pool.{}] needs 'servers', such as servers = "
                                             "[\"127.0.0.1:9001\"]",
                                             name.value));
    config.pools.push_back(std::move(pool));
  });
}

void read_routes(Fields& file, Config& config) {
  std::vector<Place> places;
  file.each("route", [&](Fields& fields) {
    Route route;
    const size_t errors_before = fields.report().count();
    route.name = read_route_name(fields, config);
    route.hosts = read_hosts(fields);
    route.path = read_path(fields);
    const bool matches = fields.report().count() == errors_before;
    route.pool = read_pool_of_route(fields, config);
    places.push_back(fields.place());
    config.routes.push_back(route);
    if (!matches) return;  // without its true host or path it may tie by mistake
    const auto tie = config.router.add(config.routes.size() - 1, route);
    if (!tie) return;
    const std::string host = tie->host.empty() ? "any host" : fmt::format("host '{}'", tie->host);
    if (tie->first == tie->second) {
      fields.report().add(fields.place(), fmt::format("{} is given twice", host));
    } else {
      fields.report().add(
          fields.place(),
          fmt::format("this route ties with '{}' in line {}: both take {} with "
                      "path '{}'",
                      config.routes[tie->first].name, places[tie->first].line, host, route.path));
    }
  });
}

}  // namespace gateway::config
