// [route.websocket] and [defaults.websocket]: what is told of policies on handshakes.
#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

std::string websocket(const std::string& lines) {
  return routes("[[route]]\npool = \"app\"\n[route.websocket]\n" + lines);
}

TEST(ConfigWebSocket, NamesWhosePagesMayOpenOne) {
  expect_each({
      {"one", websocket("origins = \"https://a.test\"")},
      {"several", websocket("origins = [\"https://a.test\", \"https://*.b.test:8443\", \"null\"]")},
      {"anybody", websocket("origins = []")},
      {"one with a path", websocket("origins = \"https://a.test/x\""),
       "4:11: error: 'https://a.test/x' has a path, which no origin has: write \"https://a.test\""},
      {"two that are wrong", websocket("origins = [\"https://a.test/\",\n \"a.test\"]"),
       "4:12: error: 'https://a.test/' ends in a slash, which no origin has: write "
       "\"https://a.test\"",
       "5:2: error: 'a.test' has no scheme: write \"https://a.test\""},
      {"twice", websocket("origins = [\"https://a.test\", \"https://A.test:443\"]"),
       "4:30: error: 'https://A.test:443' is given twice"},
      {"empty", websocket("origins = \"\""), "4:11: error: 'origins' must not be empty"},
      {"a number", websocket("origins = [1]"),
       "4:12: error: 'origins' must be a string or a list of strings, such as "
       "[\"https://chat.example.com\"], not an integer"},
  });
}

TEST(ConfigWebSocket, ListsSubprotocols) {
  expect_each({
      {"one", websocket("subprotocols = \"mqtt\"")},
      {"several", websocket("subprotocols = [\"graphql-ws\", \"v1.chat\", \"V1.chat\"]")},
      {"any", websocket("subprotocols = []")},
      {"a list in a text", websocket("subprotocols = \"a, b\""),
       "4:16: error: 'a, b' must be a subprotocol as clients offer it, such as "
       "\"graphql-transport-ws\""},
      {"twice", websocket("subprotocols = [\"a\", \"a\"]"), "4:22: error: 'a' is given twice"},
  });
}

TEST(ConfigWebSocket, KnowsWhatBecomesOfCompression) {
  expect_each({
      {"pass", websocket("compression = \"pass\"")},
      {"off", websocket("compression = \"off\"")},
      {"another", websocket("compression = \"deflate\""),
       "4:15: error: 'compression' must be one of pass, off, not 'deflate'"},
      {"no text", websocket("compression = false"),
       "4:15: error: 'compression' must be a string in quotes, not true or false"},
  });
}

TEST(ConfigWebSocket, HasBounds) {
  const auto list = [](const std::string& key, const std::string& before, size_t count) {
    std::string text = key + " = [";
    for (size_t index = 0; index < count; ++index) {
      text += "\"" + before + std::to_string(index) + "\", ";
    }
    return websocket(text + "]");
  };
  expect_each({
      {"as many origins as may be", list("origins", "https://a.test:1", 256)},
      {"more origins", list("origins", "https://a.test:1", 257),
       "4:11: error: 'origins' may list 256 at the most, not 257"},
      {"as many subprotocols as may be", list("subprotocols", "p", 64)},
      {"more subprotocols", list("subprotocols", "p", 65),
       "4:16: error: 'subprotocols' may list 64 at the most, not 65"},
  });
}

TEST(ConfigWebSocket, TellsWhereItsKeysBelong) {
  for (const std::string key : {"origins", "subprotocols", "compression"}) {
    EXPECT_THAT(errors_of(routes("[[route]]\npool = \"app\"\n" + key + " = \"x\"")),
                testing::ElementsAre("3:1: error: unknown key '" + key +
                                     "' in [[route]]; it belongs in [route.websocket]"));
  }
}

}  // namespace
}  // namespace gateway::config
