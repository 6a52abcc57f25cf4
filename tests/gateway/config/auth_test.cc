// `auth` in [[route]] and [defaults]: what is read of it, and what is said of what is wrong.
#include <fstream>

#include "gateway/config/difference.hh"
#include "tests/gateway/config/text.hh"
#include "tests/temporary_folder.hh"

namespace gateway::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kSecret = "a secret of thirty-two bytes or more\n";
constexpr std::string_view kKeys =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAu9UkTL1HA++1eKGHzAguOarr2mwHTdraKWwVqqotpMI=\n"
    "-----END PUBLIC KEY-----\n";

// A folder with a secret and a file of keys.
class ConfigAuth : public testing::Test {
 protected:
  ConfigAuth() {
    write("secret", kSecret);
    write("keys.pem", kKeys);
  }

  std::filesystem::path write(const std::string& name, std::string_view text) {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
    return folder_.path() / name;
  }
  std::expected<Config, Errors> read(const std::string& lines, FilesRead* files = nullptr) {
    const std::string text =
        std::string(kListen) + std::string(kPool) + "[[route]]\npool = \"app\"\n" + lines;
    return read_file(write("gateway.conf", text), resolve_for_test, files);
  }
  // Their messages, without the folder.
  std::vector<std::string> errors_of(const std::string& lines) {
    std::vector<std::string> texts;
    const auto config = read(lines);
    if (config) return texts;
    for (const Error& error : config.error()) {
      std::string text = error.message;
      const std::string folder = folder_.path().string() + "/";
      for (size_t at = text.find(folder); at != text.npos; at = text.find(folder))
        text.erase(at, folder.size());
      texts.push_back(text);
    }
    return texts;
  }
  std::vector<std::string> jwt_errors(const std::string& lines) {
    return errors_of("[route.auth.jwt]\nsecret = \"secret\"\n" + lines);
  }

  TemporaryFolder folder_;
};

constexpr const char* kEveryJwtKey = R"([route.auth.jwt]
keys = "keys.pem"
secret = "secret"
issuer = "https://a.test"
audience = ["chat", "game"]
leeway = "1m"
require_expiry = false
from = ["bearer", "cookie:session", "query:ticket"]
claims = { sub = "X-User", "/a~1b/c~0d" = "X-Deep" }
require = { role = ["admin", "owner"], "https://a.test/x" = "y" }
close_at_expiry = 4401
)";

TEST_F(ConfigAuth, TakesEveryKeyOfTokens) {
  FilesRead files;
  const auto config = read(kEveryJwtKey, &files);
  ASSERT_TRUE(config) << config.error().front().text();
  const JwtAuth& jwt = *config->routes[0].auth.jwt;
  ASSERT_EQ(jwt.rules.keys.size(), 2u);
  EXPECT_EQ(jwt.rules.keys[0].algorithm, jwt::Algorithm::kEdDsa);
  EXPECT_EQ(jwt.rules.keys[1].first, kSecret.substr(0, kSecret.size() - 1));
  EXPECT_THAT(jwt.rules.issuers, ElementsAre("https://a.test"));
  EXPECT_THAT(jwt.rules.audiences, ElementsAre("chat", "game"));
  EXPECT_EQ(jwt.rules.leeway, std::chrono::minutes(1));
  EXPECT_FALSE(jwt.rules.needs_expiry);
  EXPECT_THAT(jwt.from,
              ElementsAre(TokenSource{}, TokenSource{TokenSource::Kind::cookie, "session"},
                          TokenSource{TokenSource::Kind::query, "ticket"}));
  ASSERT_EQ(jwt.claims.size(), 2u);
  EXPECT_THAT(jwt.claims[0].claim.path, ElementsAre("a/b", "c~d"));
  EXPECT_THAT(jwt.claims[1].claim.path, ElementsAre("sub"));
  ASSERT_EQ(jwt.require.size(), 2u);
  EXPECT_THAT(jwt.require[0].claim.path, ElementsAre("https://a.test/x"));
  EXPECT_THAT(jwt.require[1].values, ElementsAre("admin", "owner"));
  EXPECT_EQ(jwt.close_at_expiry, 4401);
  EXPECT_THAT(config->routes[0].request_headers.owned, ElementsAre("X-Deep", "X-User"));
  EXPECT_THAT(config->log.redacted, Contains("ticket"));
  EXPECT_TRUE(files.contains((folder_.path() / "keys.pem").string()));
  EXPECT_TRUE(files.contains((folder_.path() / "secret").string()));
}

TEST_F(ConfigAuth, HasDefaults) {
  const auto config = read("[route.auth.jwt]\nsecret = \"secret\"\n");
  ASSERT_TRUE(config) << config.error().front().text();
  const JwtAuth& jwt = *config->routes[0].auth.jwt;
  EXPECT_EQ(jwt.rules.leeway, std::chrono::seconds(30));
  EXPECT_TRUE(jwt.rules.needs_expiry);
  EXPECT_THAT(jwt.from, ElementsAre(TokenSource{}));
  EXPECT_EQ(jwt.close_at_expiry, 0);
}

TEST_F(ConfigAuth, PrintsWhatItReads) {
  const std::string defaults =
      "[[route]]\npath = \"/b\"\npool = \"app\"\nauth = \"off\"\n[defaults.auth]\n"
      "request = \"http://127.0.0.1/may\"\n[defaults.auth.jwt]\nsecret = \"secret\"\n";
  for (const std::string& lines :
       {std::string(kEveryJwtKey), std::string("[route.auth]\nrequest = \"http://[::1]:9/x?y\"\n"),
        defaults}) {
    const auto config = read(lines);
    ASSERT_TRUE(config) << config.error().front().text();
    const std::string printed = to_toml(*config);
    const auto again = read_file(write("again.conf", printed), resolve_for_test);
    ASSERT_TRUE(again) << printed << again.error().front().text();
    EXPECT_EQ(to_toml(*again), printed);
    EXPECT_TRUE(compare(*config, *again).empty());
  }
}

TEST_F(ConfigAuth, ARouteHasTheDefaultOneUnlessItSaysOtherwise) {
  const auto config = read(
      "[[route]]\npath = \"/b\"\npool = \"app\"\nauth = \"off\"\n"
      "[[route]]\npath = \"/c\"\npool = \"app\"\nauth = { request = \"http://127.0.0.1:9/c\" }\n"
      "[defaults.auth.jwt]\nsecret = \"secret\"\nclaims = { sub = \"X-User\" }\n");
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_TRUE(config->routes[0].auth.jwt);
  EXPECT_THAT(config->routes[0].request_headers.owned, ElementsAre("X-User"));
  EXPECT_FALSE(config->routes[1].auth.any());
  // Its server gets that from the other route, too.
  EXPECT_THAT(config->routes[1].request_headers.owned, ElementsAre("X-User"));
  EXPECT_FALSE(config->routes[2].auth.jwt);
  EXPECT_EQ(config->routes[2].auth.request->path, "/c");
}

TEST_F(ConfigAuth, AReloadSeesOtherKeys) {
  const std::string lines = "[route.auth.jwt]\nsecret = \"secret\"\n";
  const auto before = read(lines);
  EXPECT_TRUE(compare(*before, *read(lines)).empty());
  write("secret", "another secret of thirty-two bytes or more");
  EXPECT_THAT(compare(*before, *read(lines)).changes, ElementsAre("route route-1 changed"));
}

TEST_F(ConfigAuth, UrlsBecomePoolsThatNobodyElseCanName) {
  const auto config = read(
      "auth = { request = \"http://known.test/a\" }\n"
      "[[route]]\npath = \"/b\"\npool = \"app\"\nauth = { request = \"http://known.test:80/b?c\" "
      "}\n");
  ASSERT_TRUE(config) << config.error().front().text();
  ASSERT_EQ(config->pools.size(), 2u);
  EXPECT_EQ(config->pools[1].name, "http://known.test:80");
  EXPECT_EQ(config->pools[1].servers[0].addresses.size(), 2u);
  const RequestAuth& one = *config->routes[0].auth.request;
  const RequestAuth& other = *config->routes[1].auth.request;
  EXPECT_EQ(one.pool, 1u);
  EXPECT_EQ(one.host, "known.test");
  EXPECT_EQ(one.path, "/a");
  EXPECT_EQ(one.timeout, std::chrono::seconds(5));
  EXPECT_EQ(other.pool, 1u);
  EXPECT_EQ(other.host, "known.test:80");
  EXPECT_EQ(other.path, "/b?c");
  EXPECT_THAT(errors_of("auth = { request = \"http://127.0.0.1:9/\" }\n[[route]]\npath = \"/b\"\n"
                        "pool = \"http://127.0.0.1:9\"\n"),
              ElementsAre("unknown pool 'http://127.0.0.1:9'; there is app"));
}

TEST_F(ConfigAuth, RefusesUrlsThatAreNone) {
  for (const std::string url :
       {"127.0.0.1:9", "ftp://127.0.0.1/", "http://", "http:///x", "http://user@127.0.0.1/",
        "http://127.0.0.1/a b", "http://127.0.0.1/#x", "http://127.0.0.1?x", "http://127.0.0.1:0/",
        "http://127.0.0.1:x/", "http://nowhere.test/", "http://[::1/"}) {
    EXPECT_EQ(errors_of("auth = { request = \"" + url + "\" }\n").size(), 1u) << url;
  }
}

TEST_F(ConfigAuth, SaysWhatIsWrong) {
  write("htpasswd", "anna:$2y$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy\n");
  const auto one = [&](const std::string& lines) {
    const auto errors = errors_of(lines);
    return errors.size() == 1 ? errors.front() : std::to_string(errors.size()) + " errors";
  };
  EXPECT_EQ(one("auth = \"on\"\n"),
            "'auth' must be a table with 'jwt', 'basic' or 'request', or \"off\", not a string");
  EXPECT_EQ(one("auth = {}\n"),
            "'auth' must be a table with 'jwt', 'basic' or 'request', or \"off\"");
  EXPECT_EQ(one("auth = { jwt = { secret = \"secret\" }, basic = { users = \"htpasswd\" } }\n"),
            "'jwt' and 'basic' both want the Authorization field: let the token come from a cookie "
            "or a parameter, such as from = \"cookie:token\"");
  EXPECT_EQ(one("auth = { jwt = {} }\n"),
            "[route.auth.jwt] needs 'keys', such as keys = \"jwks.json\", or 'secret'");
  EXPECT_EQ(one("auth = { request = \"http://127.0.0.1/\", pool = \"app\" }\n"),
            "'request' names the server already: keep one of the two");
  EXPECT_EQ(one("auth = { pool = \"app\" }\n"),
            "[route.auth] needs 'path', such as path = \"/check\"");
  EXPECT_EQ(one("auth = { pool = \"apps\", path = \"/\" }\n"), "unknown pool 'apps'");
  EXPECT_EQ(one("auth = { copy = [\"X-A\"], jwt = { secret = \"secret\" } }\n"),
            "'copy' goes with 'request' or 'pool'");
  EXPECT_THAT(one("jwt = { secret = \"secret\" }\n"),
              HasSubstr("it belongs in a table 'auth', such as [route.auth]"));
  EXPECT_EQ(one("auth = { request = \"http://127.0.0.1/\", copy = \"X-A\", jwt = { secret = "
                "\"secret\", claims = { sub = \"x_a\" } } }\n"),
            "'X-A' is to be written twice: take another name for one of the two headers");
  EXPECT_EQ(one("request_headers = { set = { \"X-User\" = \"x\" } }\n"
                "auth = { jwt = { secret = \"secret\", claims = { sub = \"X-User\" } } }\n"),
            "'X-User' of [route.request_headers] is written by 'auth' of this route");
}

TEST_F(ConfigAuth, SaysWhatIsWrongWithTokens) {
  EXPECT_THAT(
      errors_of("auth = { jwt = { keys = \"none.pem\" } }\n"),
      ElementsAre("key file 'none.pem' does not exist; its path is taken from the folder of "
                  "the configuration file"));
  EXPECT_THAT(jwt_errors("keys = \"secret\"\n"),
              ElementsAre("key file 'secret' has no PUBLIC KEY in PEM form"));
  EXPECT_THAT(jwt_errors("from = [\"bearer\", \"bearer\"]\n"),
              ElementsAre("'bearer' is given twice"));
  for (const std::string source : {"header", "cookie:", "query:a b", "query:a%62", "Bearer"}) {
    EXPECT_THAT(jwt_errors("from = \"" + source + "\"\n"),
                ElementsAre(HasSubstr("must be \"bearer\", \"cookie:NAME\" or \"query:NAME\"")));
  }
  for (const std::string header :
       {"Host", "host", "X-Forwarded-For", "x_forwarded_for", "Forwarded", "Via", "Content-Length",
        "Connection", "Transfer-Encoding", "Sec-WebSocket-Key", "a b", "X-\\u00e4"}) {
    EXPECT_EQ(jwt_errors("claims = { sub = \"" + header + "\" }\n").size(), 1u) << header;
  }
  for (const std::string code : {"1002", "1005", "999", "5000", "\"on\""}) {
    EXPECT_EQ(jwt_errors("close_at_expiry = " + code + "\n").size(), 1u) << code;
  }
  EXPECT_THAT(jwt_errors("require = { role = [] }\n"),
              ElementsAre("'role' must have 1 to 32 values, not 0"));
  EXPECT_THAT(
      jwt_errors("require = { role = 7 }\n"),
      ElementsAre("'role' must be a string in quotes, or a list of strings, not an integer"));
  EXPECT_THAT(jwt_errors("leeway = \"1ms\"\n"),
              ElementsAre("'leeway' must be between 1s and 10m or \"off\", not 1ms"));
}

TEST_F(ConfigAuth, LogsRedactNamesOnly) {
  const auto config = read("[log]\nredact = []\n");
  ASSERT_TRUE(config);
  EXPECT_THAT(config->log.redacted, IsEmpty());
  EXPECT_THAT(errors_of("[log]\nredact = [\"a=b\"]\n"),
              ElementsAre("'a=b' must be the name of a query parameter, such as \"access_token\""));
}

}  // namespace
}  // namespace gateway::config
