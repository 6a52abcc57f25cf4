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
      {"terminate", websocket("compression = \"terminate\"\nvalidate = \"headers\"")},
      {"another", websocket("compression = \"deflate\""),
       "4:15: error: 'compression' must be one of pass, off, terminate, not 'deflate'"},
      {"no text", websocket("compression = false"),
       "4:15: error: 'compression' must be a string in quotes, not true or false"},
  });
}

TEST(ConfigWebSocket, KnowsHowTheGatewayCompresses) {
  expect_each({
      {"all", websocket("compress_min = \"1B\"\ncompression_level = 9\ncontext_takeover = true\n"
                        "compression_ratio_max = 1032")},
      {"any ratio", websocket("compression_ratio_max = \"off\"")},
      {"all of them", websocket("compress_min = \"0B\""),
       "4:16: error: 'compress_min' must be between 1B and 1GiB, not 0B"},
      {"a number of bytes", websocket("compress_min = 64"),
       "4:16: error: 'compress_min' must be a size in quotes, such as \"64KiB\", not an integer"},
      {"stored", websocket("compression_level = 0"),
       "4:21: error: 'compression_level' must be between 1 and 9, not 0"},
      {"more than best", websocket("compression_level = 10"),
       "4:21: error: 'compression_level' must be between 1 and 9, not 10"},
      {"a word", websocket("context_takeover = \"on\""),
       "4:20: error: 'context_takeover' must be true or false, not a string"},
      {"more than there is", websocket("compression_ratio_max = 1033"),
       "4:25: error: 'compression_ratio_max' must be between 1 and 1032 or \"off\", not 1033"},
      {"misspelt", websocket("compresion_level = 1\ncontext_takeovr = true"),
       "4:1: error: unknown key 'compresion_level' in [route.websocket]; did you mean "
       "'compression_level'?",
       "5:1: error: unknown key 'context_takeovr' in [route.websocket]; did you mean "
       "'context_takeover'?"},
      {"little memory", table("[limits]\ncompression_memory = \"1KiB\""),
       "2:22: error: 'compression_memory' must be between 1MiB and 64GiB, not 1KiB"},
  });
}

TEST(ConfigWebSocket, ReadsFramesWhereItCompresses) {
  const std::string error =
      "error: 'compression' must not be \"terminate\" where 'validate' is \"off\": who compresses "
      "messages has to know them; set 'validate' to \"headers\" or \"full\"";
  expect_each({
      {"both", websocket("validate = \"off\"\ncompression = \"terminate\""), "5:15: " + error},
      {"by default",
       routes("[defaults.websocket]\nvalidate = \"off\"\n[[route]]\npool = \"app\"\n"
              "[route.websocket]\ncompression = \"terminate\""),
       "6:15: " + error},
      {"of a default",
       routes("[defaults.websocket]\ncompression = \"terminate\"\n[[route]]\n"
              "pool = \"app\"\n[route.websocket]\nvalidate = \"off\""),
       "6:12: " + error},
      {"told once",
       routes("[defaults.websocket]\ncompression = \"terminate\"\n"
              "validate = \"off\"\n[[route]]\npool = \"app\"\n"
              "[route.websocket]\nping = \"1s\""),
       "2:15: " + error},
      {"mended", routes("[defaults.websocket]\nvalidate = \"off\"\n[[route]]\npool = \"app\"\n"
                        "[route.websocket]\nvalidate = \"full\"\ncompression = \"terminate\"")},
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
  for (const std::string key : {"origins", "subprotocols", "compression", "compress_min",
                                "compression_level", "context_takeover", "compression_ratio_max"}) {
    EXPECT_THAT(errors_of(routes("[[route]]\npool = \"app\"\n" + key + " = \"x\"")),
                testing::ElementsAre("3:1: error: unknown key '" + key +
                                     "' in [[route]]; it belongs in [route.websocket]"));
  }
}

}  // namespace
}  // namespace gateway::config
