// Timeouts and limits: what holds on a connection, the defaults of routes, and what a route has.
#include <gtest/gtest.h>

#include "tests/gateway/config/every_key.hh"
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

using namespace std::chrono_literals;

constexpr RouteTimeouts kOfEveryKey{.request_body_idle = 2s,
                                    .connect = 1h,
                                    .upstream_response = 24h,
                                    .response_idle = 4s,
                                    .websocket_idle = 0s};

// The only route of a file that begins with the lines.
Route route_of(const std::string& lines, const std::string& overrides = "") {
  const auto config = read(lines + complete() + overrides);
  EXPECT_TRUE(config) << config.error().front().text();
  return config ? config->routes.at(0) : Route{};
}

TEST(ConfigLimits, OfARouteHaveDefaults) {
  const Route route = route_of("");
  EXPECT_EQ(route.timeouts.request_body_idle, 60s);
  EXPECT_EQ(route.timeouts.connect, 5s);
  EXPECT_EQ(route.timeouts.upstream_response, 60s);
  EXPECT_EQ(route.timeouts.response_idle, 5min);
  EXPECT_EQ(route.timeouts.websocket_idle, 10min);
  EXPECT_EQ(route.limits.body_bytes, 0u);
  EXPECT_EQ(route.limits.response_header_fields, 512u);
  EXPECT_EQ(route.websocket.upstream_lost_code, 1011);
  EXPECT_EQ(route.websocket.validation, ws::Validation::kFull);
  EXPECT_EQ(route.websocket.frame_bytes_max, 0u);
  EXPECT_EQ(route.websocket.message_bytes_max, 0u);
  EXPECT_TRUE(route.websocket.origins.empty());
  EXPECT_TRUE(route.websocket.subprotocols.empty());
  EXPECT_EQ(route.websocket.compression, Compression::pass);
  EXPECT_EQ(route.websocket.compress_bytes_min, 64u);
  EXPECT_EQ(route.websocket.compression_level, 1u);
  EXPECT_FALSE(route.websocket.context_takeover);
  EXPECT_EQ(route.websocket.compression_ratio_max, 200u);
}

TEST(ConfigLimits, OfARouteAreWhatItOverridesAndTheDefaultsElse) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->defaults.timeouts, kOfEveryKey);
  EXPECT_EQ(
      config->defaults.limits,
      (RouteLimits{.body_bytes = 1 << 30, .response_header_fields = 300, .connections_max = 1000}));
  WebSocket defaults{.upstream_lost_code = 1012,
                     .validation = ws::Validation::kOff,
                     .frame_bytes_max = 2 << 10,
                     .message_bytes_max = 2u << 30,
                     .ping = 1h,
                     .lifetime_code = 1012,
                     .messages_per_second = 7,
                     .slow_consumer = {.grace = 1min, .close_code = 1013}};
  EXPECT_TRUE(config->defaults.websocket.origins.contain("app://localhost"));
  defaults.origins = config->defaults.websocket.origins;
  defaults.subprotocols = {"graphql-ws", "mqtt"};
  defaults.compression = Compression::off;
  defaults.compression_ratio_max = 1032;
  EXPECT_EQ(config->defaults.websocket, defaults);

  EXPECT_EQ(config->routes[0].timeouts, (RouteTimeouts{.request_body_idle = 11s,
                                                       .connect = 12s,
                                                       .upstream_response = 13s,
                                                       .response_idle = 14s,
                                                       .websocket_idle = 15s}));
  EXPECT_EQ(
      config->routes[0].limits,
      (RouteLimits{.body_bytes = 10 << 20, .response_header_fields = 16, .connections_max = 100}));
  WebSocket first{.upstream_lost_code = 4001,
                  .validation = ws::Validation::kHeaders,
                  .frame_bytes_max = 64 << 10,
                  .message_bytes_max = 1 << 20,
                  .ping = 25s,
                  .pong_timeout = 5s,
                  .ping_to = PingTo::both,
                  .lifetime = 12h,
                  .lifetime_jitter = 1h,
                  .lifetime_code = 4002,
                  .message_time = 1min,
                  .messages_per_second = 100,
                  .bytes_per_second = 1 << 20,
                  .control_frames_per_second = 10,
                  .burst = 2s,
                  .over_limit = OverLimit::close,
                  .slow_consumer = {.grace = 20s, .close_code = 4008}};
  EXPECT_FALSE(config->routes[0].websocket.origins.contain("app://localhost"));
  first.origins = config->routes[0].websocket.origins;
  first.subprotocols = {"chat.v2"};
  first.compression = Compression::terminate;
  first.compress_bytes_min = 1024;
  first.compression_level = 9;
  first.context_takeover = true;
  first.compression_ratio_max = 0;
  EXPECT_EQ(config->routes[0].websocket, first);

  RouteTimeouts second = kOfEveryKey;
  second.response_idle = 2s;
  EXPECT_EQ(config->routes[1].timeouts, second);
  EXPECT_EQ(config->routes[1].limits,
            (RouteLimits{.body_bytes = 0, .response_header_fields = 300, .connections_max = 1000}));
  EXPECT_EQ(config->routes[1].websocket, (WebSocket{.upstream_lost_code = 0,
                                                    .compression = Compression::off,
                                                    .compression_ratio_max = 1032,
                                                    .validation = ws::Validation::kOff,
                                                    .frame_bytes_max = 2 << 10,
                                                    .message_bytes_max = 0,
                                                    .ping = 1h,
                                                    .lifetime_code = 1012,
                                                    .messages_per_second = 7}));
  EXPECT_EQ(config->routes[2].websocket, config->defaults.websocket);

  // An answer goes by the default of a body.
  EXPECT_EQ(config->routes[2].limits, config->defaults.limits);
}

TEST(ConfigLimits, OfRoutesMayStandWithThoseOfConnections) {
  const Route route = route_of(
      "[timeouts]\nrequest_body_idle = \"2s\"\nconnect = \"1h\"\nupstream_response = \"24h\"\n"
      "response_idle = \"4s\"\nwebsocket_idle = \"off\"\n"
      "[limits]\nbody = \"1KiB\"\nresponse_header_count = 7\n");
  EXPECT_EQ(route.timeouts, kOfEveryKey);
  EXPECT_EQ(route.limits, (RouteLimits{.body_bytes = 1024, .response_header_fields = 7}));
}

TEST(ConfigLimits, TakeTheirDefaultsFromWhereverTheyStand) {
  const std::string behind =
      "[defaults.timeouts]\nconnect = \"7s\"\n[timeouts]\nresponse_idle = \"8s\"";
  const Route route = route_of("", behind);
  EXPECT_EQ(route.timeouts, (RouteTimeouts{.connect = 7s, .response_idle = 8s}));
  const Route own = route_of("[defaults]\ntimeouts = { connect = \"7s\" }\n",
                             "timeouts = { response_idle = \"9s\" }\n");
  EXPECT_EQ(own.timeouts, (RouteTimeouts{.connect = 7s, .response_idle = 9s}));
}

TEST(ConfigLimits, OfARoutesBodyHaveTwoNames) {
  for (const char* lines :
       {"body_max = \"2KiB\"", "limits = { body = \"2KiB\" }", "[route.limits]\nbody = \"2KiB\""}) {
    EXPECT_EQ(route_of("[limits]\nbody = \"1KiB\"\n", lines).limits.body_bytes, 2048u) << lines;
  }
  EXPECT_EQ(route_of("[defaults.limits]\nbody = \"1KiB\"\n").limits.body_bytes, 1024u);
}

TEST(ConfigLimits, OfIdleWebSocketsHaveTwoNames) {
  const auto idle_of = [](const std::string& lines, const std::string& overrides = "") {
    return route_of(lines, overrides).timeouts.websocket_idle;
  };
  const std::string one_minute = "[timeouts]\nwebsocket_idle = \"1m\"\n";
  const std::string two_minutes = "[defaults.websocket]\nidle = \"2m\"\n";
  EXPECT_EQ(idle_of(two_minutes), 2min);
  for (const std::string& defaults : {one_minute, two_minutes}) {
    for (const char* own : {"timeouts = { websocket_idle = \"3m\" }",
                            "websocket = { idle = \"3m\" }", "[route.websocket]\nidle = \"3m\""}) {
      EXPECT_EQ(idle_of(defaults, own), 3min) << defaults << own;
    }
    EXPECT_EQ(idle_of(defaults, "websocket = { idle = \"off\" }"), 0s);
  }
  EXPECT_EQ(idle_of(one_minute, "websocket = { ping = \"1s\" }"), 1min);
}

TEST(ConfigLimits, AreGivenOnce) {
  expect_each({
      {"timeout", table("[timeouts]\nconnect = \"1s\"\n[defaults.timeouts]\nconnect = \"2s\""),
       "4:11: error: 'connect' is given already, in line 2 as 'connect' in [timeouts]: keep only "
       "that in [defaults.timeouts]"},
      {"the other way round",
       table("[defaults.timeouts]\nwebsocket_idle = \"2s\"\n[timeouts]\nwebsocket_idle = \"2s\""),
       "4:18: error: 'websocket_idle' is given already, in line 2 as 'websocket_idle' in "
       "[defaults.timeouts]: keep only that in [defaults.timeouts]"},
      {"limits",
       table("[limits]\nbody = \"1B\"\nresponse_header_count = 1\n[defaults]\n"
             "limits = { body = \"1B\", response_header_count = 1 }"),
       "5:19: error: 'body' is given already, in line 2 as 'body' in [limits]: keep only that in "
       "[defaults.limits]",
       "5:49: error: 'response_header_count' is given already, in line 3 as "
       "'response_header_count' in [limits]: keep only that in [defaults.limits]"},
      {"body of a route",
       routes("[[route]]\npool = \"app\"\nbody_max = \"1B\"\nlimits = { body = \"1B\" }"),
       "4:19: error: 'body' is given already, in line 3 as 'body_max' in [[route]]: keep only that "
       "in [route.limits]"},
      {"body of a route, the other way round",
       routes("[[route]]\npool = \"app\"\nlimits = { body = \"1B\" }\nbody_max = \"1B\""),
       "4:12: error: 'body_max' is given already, in line 3 as 'body' in [route.limits]: keep only "
       "that in [route.limits]"},
      {"idle",
       table("[defaults.timeouts]\nwebsocket_idle = \"2s\"\n[defaults.websocket]\nidle = \"2s\""),
       "4:8: error: 'idle' is given already, in line 2 as 'websocket_idle' in [defaults.timeouts]: "
       "keep only that in [defaults.websocket]"},
      {"idle in [timeouts]",
       table("[defaults.websocket]\nidle = \"2s\"\n[timeouts]\nwebsocket_idle = \"2s\""),
       "4:18: error: 'websocket_idle' is given already, in line 2 as 'idle' in "
       "[defaults.websocket]: "
       "keep only that in [defaults.websocket]"},
      {"idle of a route",
       routes("[[route]]\npool = \"app\"\nwebsocket = { idle = \"off\" }\n"
              "timeouts = { websocket_idle = \"1s\" }"),
       "4:31: error: 'websocket_idle' is given already, in line 3 as 'idle' in [route.websocket]: "
       "keep only that in [route.websocket]"},
      {"others", table("[timeouts]\nconnect = \"1s\"\n[defaults.timeouts]\nresponse_idle = \"2s\"\n"
                       "[limits]\nbody = \"1B\"\n[[route]]\npool = \"app\"\npath = \"/x\"\n"
                       "limits = { body = \"1B\" }\ntimeouts = { connect = \"1s\" }")},
  });
}

TEST(ConfigLimits, AreNotOfAConnectionWhereARouteIsKnown) {
  const std::string connections = ", since it holds before a route is known";
  expect_each({
      {"timeout of a route",
       routes("[[route]]\npool = \"app\"\ntimeouts = { tls_handshake = \"1s\" }"),
       "3:14: error: unknown key 'tls_handshake' in [route.timeouts]; it belongs in [timeouts]" +
           connections},
      {"default timeout", table("[defaults.timeouts]\nrequest_header = \"1s\""),
       "2:1: error: unknown key 'request_header' in [defaults.timeouts]; it belongs in [timeouts]" +
           connections},
      {"limit of a route", routes("[[route]]\npool = \"app\"\n[route.limits]\nheader = \"1KiB\""),
       "4:1: error: unknown key 'header' in [route.limits]; it belongs in [limits]" + connections},
      {"default limits", table("[defaults.limits]\nrequests_per_connection = 1\ntarget = \"1KiB\""),
       "2:1: error: unknown key 'requests_per_connection' in [defaults.limits]; it belongs in "
       "[limits]" +
           connections,
       "3:1: error: unknown key 'target' in [defaults.limits]; it belongs in [limits]" +
           connections},
      {"in no table of the route", routes("[[route]]\npool = \"app\"\nkeep_alive_idle = \"1s\""),
       "3:1: error: unknown key 'keep_alive_idle' in [[route]]; it belongs in [timeouts]" +
           connections},
  });
}

TEST(ConfigLimits, ThatAreAmissAreToldWhereTheyBelong) {
  expect_each({
      {"in no table of the route",
       routes("[[route]]\npool = \"app\"\nconnect = \"1s\"\nupstream_lost = \"cut\""),
       "3:1: error: unknown key 'connect' in [[route]]; it belongs in [route.timeouts]",
       "4:1: error: unknown key 'upstream_lost' in [[route]]; it belongs in [route.websocket]"},
      {"in another table of the route",
       routes("[[route]]\npool = \"app\"\n[route.websocket]\nwebsocket_idle = \"off\"\n"
              "[route.timeouts]\nbody = \"1B\""),
       "4:1: error: unknown key 'websocket_idle' in [route.websocket]; it belongs in "
       "[route.timeouts]",
       "6:1: error: unknown key 'body' in [route.timeouts]; it belongs in [route.limits]"},
      {"behind a table of the route",
       routes("[[route]]\npool = \"app\"\n[route.timeouts]\nbody_max = \"1B\"\npath = \"/\""),
       "4:1: error: unknown key 'body_max' in [route.timeouts]; it belongs in [[route]]",
       "5:1: error: unknown key 'path' in [route.timeouts]; it belongs in [[route]]"},
      {"in no table of the defaults",
       table("[defaults]\nresponse_idle = \"1s\"\nbody = \"1B\"\nupstream_lost = 1000"),
       "2:1: error: unknown key 'response_idle' in [defaults]; it belongs in [defaults.timeouts]",
       "3:1: error: unknown key 'body' in [defaults]; it belongs in [defaults.limits]",
       "4:1: error: unknown key 'upstream_lost' in [defaults]; it belongs in "
       "[defaults.websocket]"},
      {"what all routes share",
       routes("[defaults.websocket]\ncompression_memory = \"1MiB\"\n[timeouts]\n"
              "compression_memory = \"1MiB\"\n[[route]]\npool = \"app\"\n"
              "compression_memory = \"1MiB\"\nlimits = { compression_memory = \"1MiB\" }"),
       "2:1: error: unknown key 'compression_memory' in [defaults.websocket]; it belongs in "
       "[limits], since all routes share it",
       "4:1: error: unknown key 'compression_memory' in [timeouts]; it belongs in [limits], since "
       "all routes share it",
       "7:1: error: unknown key 'compression_memory' in [[route]]; it belongs in [limits], since "
       "all routes share it",
       "8:12: error: unknown key 'compression_memory' in [route.limits]; it belongs in [limits], "
       "since all routes share it"},
      {"behind the defaults", table("[defaults.limits]\nvia = \"x\""),
       "2:1: error: unknown key 'via' in [defaults.limits]; it belongs at the top of the file, "
       "before any table"},
      {"misspelt",
       table("[default]\n[defaults.timeout]\n[defaults.timeouts]\nconect = \"1s\"\n"
             "[defaults.limits]\nbdy = \"1B\"\n[defaults.websocket]\nupstream_lots = 1000"),
       "1:2: error: unknown key 'default'; did you mean 'defaults'?",
       "2:11: error: unknown key 'timeout' in [defaults]; did you mean 'timeouts'?",
       "4:1: error: unknown key 'conect' in [defaults.timeouts]; did you mean 'connect'?",
       "6:1: error: unknown key 'bdy' in [defaults.limits]; did you mean 'body'?",
       "8:1: error: unknown key 'upstream_lots' in [defaults.websocket]; did you mean "
       "'upstream_lost'?"},
      {"misspelt in a route",
       routes("[[route]]\npool = \"app\"\ntimeouts = { upstream_respons = \"1s\" }\ntimeout = 1"),
       "3:14: error: unknown key 'upstream_respons' in [route.timeouts]; did you mean "
       "'upstream_response'?",
       "4:1: error: unknown key 'timeout' in [[route]]; did you mean 'timeouts'?"},
      {"without a pool", routes("[[route]]\n[route.answer]\n[route.timeouts]\n[route.limits]"),
       "3:1: error: 'timeouts' is for routes with a pool, and this one has none",
       "4:1: error: 'limits' is for routes with a pool, and this one has none"},
  });
}

TEST(ConfigLimits, OfARouteAreNotSentToTheTopOfTheFile) {
  const std::string pool = "[[route]]\npool = \"app\"\n";
  for (const std::string name :
       {"timeouts", "limits", "websocket", "request_headers", "response_headers"}) {
    for (const std::string key :
         {"timeouts", "limits", "websocket", "request_headers", "response_headers"}) {
      if (key == name) continue;
      const std::string in = "[route." + name + "]";
      EXPECT_THAT(errors_of(routes(pool + in + "\n" + key + " = {}")),
                  testing::ElementsAre("4:1: error: unknown key '" + key + "' in " + in +
                                       "; it belongs in [[route]]"));
    }
  }
  expect_each({
      {"answer", routes("[[route]]\n[route.answer]\nlimits = { body = \"1B\" }\nredirect = {}"),
       "3:1: error: unknown key 'limits' in [route.answer]; it belongs in [[route]]",
       "4:1: error: unknown key 'redirect' in [route.answer]; it belongs in [[route]]"},
      {"redirect", routes("[[route]]\n[route.redirect]\nto = \"/\"\ntimeouts = {}"),
       "4:1: error: unknown key 'timeouts' in [route.redirect]; it belongs in [[route]]"},
      {"defaults", table("[defaults.timeouts]\nlimits = { body = \"1B\" }\nwebsocket = {}"),
       "2:1: error: unknown key 'limits' in [defaults.timeouts]; it belongs in [defaults]",
       "3:1: error: unknown key 'websocket' in [defaults.timeouts]; it belongs in [defaults]"},
      {"other tables", table("[log]\nlimits = {}"),
       "2:1: error: unknown key 'limits' in [log]; it belongs at the top of the file, before any "
       "table"},
  });
}

TEST(ConfigLimits, AreToldApartFromTimeoutsAndByTheirName) {
  const std::string connections = ", since it holds before a route is known";
  expect_each({
      {"of a route",
       routes("[[route]]\npool = \"app\"\nresponse_header_count = 1\n"
              "header = \"1KiB\"\nrequests_per_connection = 1"),
       "3:1: error: unknown key 'response_header_count' in [[route]]; it belongs in "
       "[route.limits]",
       "4:1: error: unknown key 'header' in [[route]]; it belongs in [limits]" + connections,
       "5:1: error: unknown key 'requests_per_connection' in [[route]]; it belongs in [limits]" +
           connections},
      {"body_max",
       table("[defaults]\nbody_max = \"1B\"\n[defaults.limits]\nbody_max = \"1B\"\n"
             "[limits]\nbody_max = \"1B\""),
       "2:1: error: unknown key 'body_max' in [defaults]; it belongs in [defaults.limits], as "
       "'body'",
       "4:1: error: unknown key 'body_max' in [defaults.limits]; it belongs in [defaults.limits], "
       "as 'body'",
       "6:1: error: unknown key 'body_max' in [limits]; it belongs in [defaults.limits], as "
       "'body'"},
      {"limits in timeouts",
       table("[timeouts]\nbody = \"1B\"\nheader = \"1KiB\"\nupstream_lost = 1000"),
       "2:1: error: unknown key 'body' in [timeouts]; it belongs in [defaults.limits]",
       "3:1: error: unknown key 'header' in [timeouts]; it belongs in [limits]",
       "4:1: error: unknown key 'upstream_lost' in [timeouts]; it belongs in "
       "[defaults.websocket]"},
      {"timeouts in limits", table("[limits]\nconnect = \"1s\"\ntls_handshake = \"1s\""),
       "2:1: error: unknown key 'connect' in [limits]; it belongs in [defaults.timeouts]",
       "3:1: error: unknown key 'tls_handshake' in [limits]; it belongs in [timeouts]"},
  });
}

TEST(ConfigLimits, HaveTheSameRangeEverywhere) {
  for (const std::string owner : {"defaults", "route"}) {
    const auto bounds = [&](const std::string& name, const std::string& lines) {
      return (owner == "route" ? complete() : "") + "[" + owner + "." + name + "]\n" + lines +
             "\n" + (owner == "route" ? "" : complete());
    };
    const std::string at = owner == "route" ? "8:" : "2:";
    expect_each({
        {"zero", bounds("timeouts", "connect = \"0s\""),
         at + "11: error: 'connect' must be between 1ms and 24h, not 0s"},
        {"for ever", bounds("timeouts", "response_idle = \"off\""),
         at + "17: error: 'off' is not a duration: write a whole number and ms, s, m or h, such as "
              "\"30s\""},
        {"off", bounds("timeouts", "websocket_idle = \"off\"")},
        {"body", bounds("limits", "body = \"2048GiB\""),
         at + "8: error: 'body' must be between 1B and 1024GiB or \"off\", not 2048GiB"},
        {"fields", bounds("limits", "response_header_count = 1025"),
         at + "25: error: 'response_header_count' must be between 1 and 1024, not 1025"},
        {"code", bounds("websocket", "upstream_lost = 1006"),
         at + "17: error: 'upstream_lost' must be a close code for clients, 1000, 1001, 1011, "
              "1012, 1013 or 3000 to 4999, or \"cut\", not 1006"},
        {"validation", bounds("websocket", "validate = \"none\""),
         at + "12: error: 'validate' must be one of full, headers, off, not 'none'"},
        {"no frame", bounds("websocket", "frame_max = \"0B\""),
         at + "13: error: 'frame_max' must be between 1B and 2GiB or \"off\", not 0B"},
        {"large message", bounds("websocket", "message_max = \"3GiB\""),
         at + "15: error: 'message_max' must be between 1B and 2GiB or \"off\", not 3GiB"},
        {"one frame", bounds("websocket", "frame_max = \"1KiB\"\nmessage_max = \"1KiB\"")},
    });
  }
}

TEST(ConfigLimits, OfAFrameGoByThatOfAMessageWhereverItStands) {
  const std::string error =
      "'message_max', which is 1KiB, must not be below 'frame_max', which is ";
  expect_each({
      {"both", table("[defaults.websocket]\nframe_max = \"2KiB\"\nmessage_max = \"1KiB\""),
       "3:15: error: " + error + "2KiB: no frame is larger than its message"},
      {"frame of a route",
       routes("[defaults.websocket]\nmessage_max = \"1KiB\"\n"
              "[[route]]\npool = \"app\"\n[route.websocket]\nframe_max = \"2KiB\""),
       "6:13: error: " + error + "2KiB: no frame is larger than its message"},
      {"message of a route",
       routes("[defaults.websocket]\nframe_max = \"4KiB\"\n"
              "[[route]]\npool = \"app\"\n[route.websocket]\nmessage_max = \"1KiB\""),
       "6:15: error: " + error + "4KiB: no frame is larger than its message"},
      {"a route without", routes("[defaults.websocket]\nmessage_max = \"1KiB\"\n[[route]]\n"
                                 "pool = \"app\"\n[route.websocket]\nmessage_max = \"off\"\n"
                                 "frame_max = \"2KiB\"")},
  });
}

}  // namespace
}  // namespace gateway::config
