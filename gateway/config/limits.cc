// Timeouts and limits: [timeouts] and [limits], which hold on a client's connection, and what a
// route may override of [defaults].
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "gateway/config/route_timeouts.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/units.hh"

namespace gateway::config {
namespace {

constexpr size_t kHeaderBytesMin = 1 << 10;
constexpr size_t kHeaderBytesMax = 64 << 10;
constexpr size_t kHeaderFieldsMax = 1024;
constexpr size_t kTargetBytesMin = 256;
constexpr std::uint64_t kRequestsMax = 1'000'000'000;
constexpr size_t kCompressionBytesMin = size_t{1} << 20;
constexpr size_t kCompressionBytesMax = size_t{1} << 36;

constexpr std::array<std::string_view, 3> kTimeoutKeys = {"tls_handshake", "request_header",
                                                          "keep_alive_idle"};
constexpr std::array<std::string_view, 4> kLimitKeys = {"header", "header_count", "target",
                                                        "requests_per_connection"};
constexpr std::array<std::string_view, 2> kRouteLimitKeys = {"body", "response_header_count"};

constexpr std::array<std::string_view, 16> kWebSocketKeys = {"upstream_lost",
                                                             "validate",
                                                             "frame_max",
                                                             "message_max",
                                                             "ping",
                                                             "lifetime",
                                                             "messages_per_second",
                                                             "slow_consumer",
                                                             "origins",
                                                             "subprotocols",
                                                             "compression",
                                                             "compress_min",
                                                             "compression_level",
                                                             "context_takeover",
                                                             "compression_ratio_max",
                                                             "idle"};
// Another name for that, which has always been there.
constexpr std::string_view kIdle = "idle";
constexpr std::string_view kWebSocketIdle = "websocket_idle";

constexpr std::string_view kBeforeRoute = ", since it holds before a route is known";
constexpr std::string_view kCompressionMemory = "compression_memory";
constexpr std::string_view kInLimitsOfAll = "[limits], since all routes share it";

void read_timeouts(TableReader& table, Timeouts& timeouts) {
  table.duration("tls_handshake", timeouts.tls_handshake);
  table.duration("request_header", timeouts.request_header);
  table.duration("keep_alive_idle", timeouts.keep_alive_idle);
}

void read_limits(TableReader& table, Limits& limits) {
  table.size("header", kHeaderBytesMin, kHeaderBytesMax, limits.header_bytes);
  table.count("header_count", kHeaderFieldsMax, limits.header_fields);
  table.size("target", kTargetBytesMin, kHeaderBytesMax, limits.target_bytes);
  if (!table.has("target")) {
    limits.target_bytes = std::min(limits.target_bytes, limits.header_bytes);
  } else if (limits.target_bytes > limits.header_bytes) {
    table.report().add(table.place("target"),
                       fmt::format("'target' must not be above 'header', which is {}: the header "
                                   "includes it",
                                   print_size(limits.header_bytes)));
  }
  table.count_or_off("requests_per_connection", kRequestsMax, limits.requests);
  table.size(kCompressionMemory, kCompressionBytesMin, kCompressionBytesMax,
             limits.compression_bytes);
}

void read_route_timeouts(TableReader& table, RouteTimeouts& timeouts) {
  for (const RouteTimeoutKey& key : kRouteTimeoutKeys) {
    if (key.may_be_off) {
      table.duration_or_off(key.name, timeouts.*key.value);
    } else {
      table.duration(key.name, timeouts.*key.value);
    }
  }
}

// Those that may stand in [limits], too.
void read_route_limits(TableReader& table, RouteLimits& limits) {
  table.size_or_off("body", kBodyBytesMax, limits.body_bytes);
  table.count("response_header_count", kHeaderFieldsMax, limits.response_header_fields);
}

// What one of the tables of a route, or of [defaults], is told of keys that belong in another one.
// `owner` is "route" or "defaults"; `why` is told of those of a connection.
void tell_of_timeouts(TableReader& table, std::string_view owner,
                      std::string_view why = kBeforeRoute) {
  for (const RouteTimeoutKey& key : kRouteTimeoutKeys)
    table.elsewhere(key.name, fmt::format("[{}.timeouts]", owner));
  for (const std::string_view key : kTimeoutKeys)
    table.elsewhere(key, fmt::format("[timeouts]{}", why));
  for (const std::string_view key : kWebSocketKeys)
    table.elsewhere(key, fmt::format("[{}.websocket]", owner));
}

void tell_of_limits(TableReader& table, std::string_view owner,
                    std::string_view why = kBeforeRoute) {
  for (const std::string_view key : kRouteLimitKeys)
    table.elsewhere(key, fmt::format("[{}.limits]", owner));
  for (const std::string_view key : kLimitKeys)
    table.elsewhere(key, fmt::format("[limits]{}", why));
  table.elsewhere(kCompressionMemory, std::string(kInLimitsOfAll));
  if (owner == "defaults") table.elsewhere("body_max", "[defaults.limits], as 'body'");
}

// The same of a route itself, for whom "body" and "target" mean something else, too.
void tell_route_of_limits(TableReader& table) {
  table.elsewhere("response_header_count", "[route.limits]");
  for (const std::string_view key : {"header", "header_count", "requests_per_connection"})
    table.elsewhere(key, fmt::format("[limits]{}", kBeforeRoute));
  table.elsewhere(kCompressionMemory, std::string(kInLimitsOfAll));
}

// A value that has a key of another name or place, too.
struct Given {
  std::string_view name;
  std::string table;
  Place place;
};

// By the keys that mean the same in [route.*] or [defaults.*].
struct GivenElsewhere {
  std::map<std::string_view, Given> timeouts;
  std::map<std::string_view, Given> limits;
};

Given given(const TableReader& table, std::string_view key) {
  return {key, table.label(), table.place(key)};
}

bool is_before(const Place& one, const Place& other) {
  return std::tie(one.line, one.column) < std::tie(other.line, other.column);
}

void check_given_once(const TableReader& table,
                      const std::map<std::string_view, Given>& elsewhere) {
  for (const auto& [key, other] : elsewhere) {
    if (!table.has(key)) continue;
    const Given here = given(table, key);
    const auto& [first, second] =
        is_before(other.place, here.place) ? std::tie(other, here) : std::tie(here, other);
    table.report().add(
        second.place,
        fmt::format("'{}' is given already, in line {} as '{}' in {}: keep only that in {}",
                    second.name, first.place.line, first.name, first.table, here.table));
  }
}

// `Owner` is a Route or the RouteDefaults.
template <typename Owner>
void read_bounds_of(TableReader& table, std::string_view name, const GivenElsewhere& elsewhere,
                    Owner& owner) {
  const auto inner = [&](std::string_view key, const auto& read) {
    table.inner(key, [&](TableReader& bounds) {
      tell_of_tables(bounds, table.label());
      tell_of_timeouts(bounds, name);
      tell_of_limits(bounds, name);
      read(bounds);
    });
  };
  std::map<std::string_view, Given> idle;
  const auto of_connections = elsewhere.timeouts.find(kWebSocketIdle);
  if (of_connections != elsewhere.timeouts.end()) idle.emplace(kIdle, of_connections->second);
  inner("timeouts", [&](TableReader& bounds) {
    read_route_timeouts(bounds, owner.timeouts);
    check_given_once(bounds, elsewhere.timeouts);
    if (bounds.has(kWebSocketIdle)) idle.emplace(kIdle, given(bounds, kWebSocketIdle));
  });
  inner("limits", [&](TableReader& bounds) {
    bounds.count_or_off("connections", kConnectionsMax, owner.limits.connections_max);
    read_route_limits(bounds, owner.limits);
    check_given_once(bounds, elsewhere.limits);
  });
  inner("websocket", [&](TableReader& bounds) {
    read_websocket(bounds, owner.websocket);
    bounds.duration_or_off(kIdle, owner.timeouts.websocket_idle);
    check_given_once(bounds, idle);
  });
}

}  // namespace

void tell_of_tables(TableReader& inner, std::string_view label) {
  for (const std::string_view key :
       {"timeouts", "limits", "websocket", "auth", "request_id", "trace"})
    inner.elsewhere(key, std::string(label));
  if (label != "[[route]]") return;
  for (const std::string_view key : {"answer", "redirect", "request_headers", "response_headers"})
    inner.elsewhere(key, std::string(label));
}

void read_bounds(TableReader& file, const Surroundings& around, Config& config) {
  RouteDefaults& defaults = config.defaults;
  GivenElsewhere elsewhere;
  file.inner("timeouts", [&](TableReader& table) {
    tell_of_timeouts(table, "defaults", "");
    tell_of_limits(table, "defaults", "");
    read_timeouts(table, config.timeouts);
    read_route_timeouts(table, defaults.timeouts);
    for (const RouteTimeoutKey& key : kRouteTimeoutKeys) {
      if (table.has(key.name)) elsewhere.timeouts.emplace(key.name, given(table, key.name));
    }
  });
  file.inner("limits", [&](TableReader& table) {
    tell_of_timeouts(table, "defaults", "");
    tell_of_limits(table, "defaults", "");
    read_limits(table, config.limits);
    read_client_limits(table, config.client_limits);
    read_route_limits(table, defaults.limits);
    for (const std::string_view key : kRouteLimitKeys) {
      if (table.has(key)) elsewhere.limits.emplace(key, given(table, key));
    }
  });
  file.inner("defaults", [&](TableReader& table) {
    tell_of_timeouts(table, "defaults");
    tell_of_limits(table, "defaults");
    read_bounds_of(table, "defaults", elsewhere, defaults);
    read_auth(table, around, config, defaults.auth);
    read_marking(table, defaults.marking);
  });
}

void read_bounds_of_route(TableReader& table, Route& route) {
  tell_of_timeouts(table, "route");
  tell_route_of_limits(table);
  GivenElsewhere elsewhere;
  if (table.has("body_max")) elsewhere.limits.emplace("body", given(table, "body_max"));
  read_bounds_of(table, "route", elsewhere, route);
}

}  // namespace gateway::config
