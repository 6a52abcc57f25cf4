// [route.websocket] and [defaults.websocket]: what is said of wrong times and rates.
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

// In a file whose first lines these are.
std::string websocket(const std::string& lines) {
  return table("[defaults.websocket]\n" + lines);
}

TEST(ConfigWebSocketPolicy, IsCheckedKeyByKey) {
  expect_each({
      {"pings", websocket("ping = \"25s\"\npong_timeout = \"1ms\"\nping_to = \"both\"")},
      {"no pings", websocket("ping = \"off\"")},
      {"a number", websocket("ping = 25"),
       "2:8: error: 'ping' must be a duration in quotes, such as \"30s\" or \"off\", not an "
       "integer"},
      {"never patient", websocket("pong_timeout = \"off\""),
       "2:16: error: 'off' is not a duration: write a whole number and ms, s, m or h, such as "
       "\"30s\""},
      {"to nobody", websocket("ping_to = \"server\""),
       "2:11: error: 'ping_to' must be one of client, upstream, both, not 'server'"},
      {"over", websocket("over_limit = \"drop\""),
       "2:14: error: 'over_limit' must be one of delay, close, not 'drop'"},
      {"no messages", websocket("messages_per_second = 0"),
       "2:23: error: 'messages_per_second' must be between 1 and 1000000000 or \"off\", not 0"},
      {"a size", websocket("bytes_per_second = 1000"),
       "2:20: error: 'bytes_per_second' must be a size in quotes, such as \"64KiB\" or \"off\", "
       "not an integer"},
      {"of a protocol error", websocket("lifetime_code = 1002"),
       "2:17: error: 'lifetime_code' must be 1000, 1001, 1012 or 3000 to 4999, not 1002"},
      {"a word", websocket("lifetime_code = \"cut\""),
       "2:17: error: 'lifetime_code' must be 1000, 1001, 1012 or 3000 to 4999, not a string"},
  });
}

TEST(ConfigWebSocketPolicy, BurstHasRoomForOne) {
  expect_each({
      {"one", websocket("messages_per_second = 2\nburst = \"500ms\"")},
      {"less", websocket("messages_per_second = 1\nburst = \"500ms\""),
       "3:9: error: 'burst', which is 500ms, must be long enough for one at the rate of "
       "'messages_per_second', which is 1"},
  });
}

TEST(ConfigWebSocketPolicy, SlowConsumersHaveAGrace) {
  const std::string wrong_type =
      "2:17: error: 'slow_consumer' must be { grace = \"15s\", close = 1013 } or \"off\", not ";
  const std::string wrong_code = "error: 'close' must be 1001, 1008, 1013 or 3000 to 4999, not ";
  expect_each({
      {"both", websocket("slow_consumer = { grace = \"100ms\", close = 4999 }")},
      {"a table", websocket("[defaults.websocket.slow_consumer]\ngrace = \"24h\"\nclose = 1008")},
      {"none", websocket("slow_consumer = \"off\"")},
      {"a time", websocket("slow_consumer = \"15s\""), wrong_type + "a string"},
      {"a number", websocket("slow_consumer = 15"), wrong_type + "an integer"},
      {"no grace", websocket("slow_consumer = { close = 1008 }"),
       "2:17: error: 'slow_consumer' needs 'grace', such as grace = \"15s\""},
      {"too soon", websocket("slow_consumer = { grace = \"99ms\" }"),
       "2:27: error: 'grace' must be between 100ms and 24h, not 99ms"},
      {"of a protocol error", websocket("slow_consumer = { grace = \"1s\", close = 1002 }"),
       "2:41: " + wrong_code + "1002"},
      {"a word", websocket("slow_consumer = { grace = \"1s\", close = \"cut\" }"),
       "2:41: " + wrong_code + "a string"},
      {"another key", websocket("slow_consumer = { grace = \"1s\", code = 1008 }"),
       "2:33: error: unknown key 'code' in [defaults.websocket.slow_consumer]; did you mean "
       "'close'?"},
  });
}

TEST(ConfigWebSocketPolicy, JitterIsNoMoreThanTheLifetime) {
  expect_each({
      {"as much", websocket("lifetime = \"1h\"\nlifetime_jitter = \"1h\"")},
      {"of none", websocket("lifetime_jitter = \"1h\"")},
      {"more", websocket("lifetime = \"1h\"\nlifetime_jitter = \"2h\""),
       "3:19: error: 'lifetime_jitter', which is 2h, must not be more than 'lifetime', 1h: it is "
       "what that is shortened by"},
  });
}

}  // namespace
}  // namespace gateway::config
