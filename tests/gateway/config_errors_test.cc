// Each error of the configuration: its text and its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/config_text.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Case {
  const char* name;
  std::string toml;
  const char* error;
};

void expect_each(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    EXPECT_THAT(errors_of(one.toml), ElementsAre(one.error));
  }
}

std::string listen(std::string_view lines) {
  return "[[listen]]\n" + std::string(lines) + "\n" + std::string(kPool) + std::string(kRoute);
}

std::string pool(std::string_view lines) {
  return "[pool.app]\n" + std::string(lines) + "\n" + std::string(kListen) + std::string(kRoute);
}

std::string routes(std::string_view lines) {
  return std::string(lines) + "\n" + std::string(kListen) + std::string(kPool);
}

std::string table(std::string_view lines) {
  return std::string(lines) + "\n" + complete();
}

TEST(ConfigErrors, UnknownKeysAreNamedWithTheLikelyOne) {
  expect_each({
      {"file", table("shrads = 2"), "1:1: error: unknown key 'shrads'; did you mean 'shards'?"},
      {"table", table("[timeout]"), "1:2: error: unknown key 'timeout'; did you mean 'timeouts'?"},
      {"nothing alike", table("colour = 1"), "1:1: error: unknown key 'colour'"},
      {"in a table", table("[log]\n  levle = \"info\""),
       "2:3: error: unknown key 'levle' in [log]; did you mean 'level'?"},
      {"in a list of tables", listen("address = \"[::1]:1\"\ncertificate = \"self-signed\""),
       "3:1: error: unknown key 'certificate' in [[listen]]; did you mean 'certificates'?"},
      {"in a named table", pool("servers = \"127.0.0.1:1\"\nserver = 1"),
       "3:1: error: unknown key 'server' in [pool.app]; did you mean 'servers'?"},
      {"behind a table", table("[log]\nshards = 2"),
       "2:1: error: unknown key 'shards' in [log]; it belongs at the top of the file, before any "
       "table"},
      {"pool without a name", "[pool]\nx = 1\n" + complete(),
       "2:1: error: unknown key 'x' in [pool], which must be a table with a name, such as "
       "[pool.app]"},
  });
}

TEST(ConfigErrors, WrongTypesAreToldWithTheRightForm) {
  expect_each({
      {"duration", table("[timeouts]\nconnect = 5"),
       "2:11: error: 'connect' must be a duration in quotes, such as \"30s\", not an integer"},
      {"duration or off", table("[timeouts]\nwebsocket_idle = false"),
       "2:18: error: 'websocket_idle' must be a duration in quotes, such as \"30s\" or \"off\", "
       "not true or false"},
      {"size", table("[log]\nbuffer = 65536"),
       "2:10: error: 'buffer' must be a size in quotes, such as \"64KiB\", not an integer"},
      {"count", table("shards = \"two\""),
       "1:10: error: 'shards' must be a whole number or \"auto\", not a string"},
      {"fraction", table("shards = 1.5"),
       "1:10: error: 'shards' must be a whole number or \"auto\", not a number with a point"},
      {"string", table("[log]\nlevel = 2"),
       "2:9: error: 'level' must be a string in quotes, not an integer"},
      {"empty string", table("[log]\nfile = \"\""), "2:8: error: 'file' must not be empty"},
      {"table", table("log = \"x\""), "1:7: error: 'log' must be a table, [log], not a string"},
      {"single brackets",
       "[listen]\naddress = \"[::1]:1\"\n" + std::string(kPool) + std::string(kRoute),
       "1:1: error: 'listen' must be a table in double brackets, [[listen]], not a table"},
      {"list of numbers", pool("servers = [9001]"),
       "2:12: error: 'servers' must be a string or a list of strings, such as "
       "[\"127.0.0.1:9001\"], not an integer"},
  });
}

TEST(ConfigErrors, ValuesOutOfRangeAreToldWithTheRange) {
  expect_each({
      {"no unit", table("[timeouts]\nconnect = \"5\""),
       "2:11: error: '5' has no unit: write a whole number and ms, s, m or h, such as \"30s\""},
      {"unknown unit", table("[log]\nbuffer = \"64KB\""),
       "2:10: error: '64KB' is not a size: write a whole number and B, KiB, MiB or GiB, such as "
       "\"64KiB\""},
      {"zero", table("[timeouts]\nconnect = \"0s\""),
       "2:11: error: 'connect' must be between 1ms and 24h, not 0s"},
      {"too long", table("[timeouts]\nconnect = \"25h\""),
       "2:11: error: 'connect' must be between 1ms and 24h, not 25h"},
      {"zero where off is meant", table("[timeouts]\nwebsocket_idle = \"0s\""),
       "2:18: error: 'websocket_idle' must be between 1ms and 24h or \"off\", not 0s"},
      {"too small", table("[log]\nbuffer = \"1KiB\""),
       "2:10: error: 'buffer' must be between 16KiB and 64MiB, not 1KiB"},
      {"no shards", table("shards = 0"), "1:10: error: 'shards' must be between 1 and 256, not 0"},
      {"many shards", table("shards = 257"),
       "1:10: error: 'shards' must be between 1 and 256, not 257"},
      {"choice", table("[log]\nlevel = \"warnin\""),
       "2:9: error: 'level' must be one of error, warning, info, debug, not 'warnin'; did you mean "
       "'warning'?"},
      {"log folder", table("[log]\nfile = \"/no/such/folder/log\""),
       "2:8: error: there is no folder '/no/such/folder' for the log file"},
      {"log file is a folder", table("[log]\nfile = \"/\""),
       "2:8: error: '/' is a folder, not a log file"},
  });
}

TEST(ConfigErrors, ListenersNeedAFreeAddress) {
  expect_each({
      {"missing", listen(""),
       "1:1: error: [[listen]] needs 'address', such as address = \"127.0.0.1:8080\""},
      {"no port", listen("address = \"127.0.0.1\""),
       "2:11: error: '127.0.0.1' has no port: write \"HOST:PORT\" or \"[IPV6]:PORT\""},
      {"no brackets", listen("address = \"::1:80\""),
       "2:11: error: '::1:80' needs brackets around its IPv6 address: write \"HOST:PORT\" or "
       "\"[IPV6]:PORT\""},
      {"port 0", listen("address = \"127.0.0.1:0\""),
       "2:11: error: '127.0.0.1:0' has a port that is not between 1 and 65535"},
      {"port 65536", listen("address = \"127.0.0.1:65536\""),
       "2:11: error: '127.0.0.1:65536' has a port that is not between 1 and 65535"},
      {"port of 20 digits", listen("address = \"127.0.0.1:99999999999999999999\""),
       "2:11: error: '127.0.0.1:99999999999999999999' has a port that is not between 1 and 65535"},
      {"service name", listen("address = \"127.0.0.1:http\""),
       "2:11: error: '127.0.0.1:http' has no number for a port: write \"HOST:PORT\" or "
       "\"[IPV6]:PORT\""},
      {"name", listen("address = \"localhost:80\""),
       "2:11: error: 'localhost:80' must begin with an IP address, such as \"0.0.0.0:80\" or "
       "\"[::]:80\" for all of the machine's"},
      {"twice", listen("address = \"127.0.0.1:80\"\n[[listen]]\naddress = \"127.0.0.1:80\""),
       "4:11: error: '127.0.0.1:80' is taken: '127.0.0.1:80' in line 2 listens there already"},
      {"twice, in other words",
       listen("address = \"[::]:80\"\n[[listen]]\naddress = \"[0::0]:80\""),
       "4:11: error: '[::]:80' is taken: '[::]:80' in line 2 listens there already"},
      {"both of all", listen("address = \"[::]:80\"\n[[listen]]\naddress = \"0.0.0.0:80\""),
       "4:11: error: '0.0.0.0:80' is taken: '[::]:80' in line 2 listens there already"},
  });
}

TEST(ConfigErrors, PoolsNeedServersThatResolve) {
  expect_each({
      {"missing", pool(""),
       "1:1: error: [pool.app] needs 'servers', such as servers = [\"127.0.0.1:9001\"]"},
      {"empty", pool("servers = []"), "2:11: error: 'servers' must not be an empty list"},
      {"unknown name", pool("servers = [\"known.test:1\", \"other.test:1\"]"),
       "2:28: error: 'other.test' cannot be resolved: no such name"},
      {"no name", pool("servers = \"http://a:80\""),
       "2:11: error: 'http://a:80' needs brackets around its IPv6 address: write \"HOST:PORT\" or "
       "\"[IPV6]:PORT\""},
      {"a path behind", pool("servers = \"a/b:80\""),
       "2:11: error: 'a/b:80' must be a host and a port, such as \"127.0.0.1:9001\""},
      {"twice", pool("servers = [\"known.test:1\", \"known.test:1\"]"),
       "2:28: error: server 'known.test:1' is in this pool already"},
      {"odd name", "[pool.\"a b\"]\nservers = \"127.0.0.1:1\"\n" + complete(),
       "1:7: error: 'a b' must be a name of letters, digits and -_."},
  });
}

TEST(ConfigErrors, RoutesNeedAKnownPoolAndAMatchablePath) {
  expect_each({
      {"missing pool", routes("[[route]]\n"),
       "1:1: error: [[route]] needs 'pool', such as pool = \"app\""},
      {"unknown pool", routes("[[route]]\npool = \"apq\""),
       "2:8: error: unknown pool 'apq'; did you mean 'app'?"},
      {"unlike pool", routes("[[route]]\npool = \"chat\""),
       "2:8: error: unknown pool 'chat'; there is app"},
      {"no slash", routes("[[route]]\npool = \"app\"\npath = \"ws\""),
       "3:8: error: 'ws' must begin with a slash, such as \"/ws\""},
      {"query", routes("[[route]]\npool = \"app\"\npath = \"/a?b\""),
       "3:8: error: '/a?b' must be a path without '?' and '#'"},
      {"dots", routes("[[route]]\npool = \"app\"\npath = \"/a/../b\""),
       "3:8: error: '/a/../b' is never asked for like this: write '/b'"},
      {"empty segment", routes("[[route]]\npool = \"app\"\npath = \"/a//b\""),
       "3:8: error: '/a//b' must not have an empty segment, '//'"},
      {"needless escape", routes("[[route]]\npool = \"app\"\npath = \"/%61%2fb\""),
       "3:8: error: '/%61%2fb' is never asked for like this: write '/a%2Fb'"},
      {"bad escape", routes("[[route]]\npool = \"app\"\npath = \"/a%2\""),
       "3:8: error: '/a%2' has a bad percent escape"},
      {"star", routes("[[route]]\npool = \"app\"\npath = \"/a/*\""),
       "3:8: error: '/a/*' must be of visible ASCII characters, without '*' and '\\': it is a "
       "prefix as it is"},
      {"any host", routes("[[route]]\npool = \"app\"\nhost = \"*\""),
       "3:8: error: '*' matches nothing: leave 'host' out to match any host"},
      {"host with port", routes("[[route]]\npool = \"app\"\nhost = [\"a.b\", \"c.d:80\"]"),
       "3:16: error: 'c.d:80' must be a host name without scheme and port, such as "
       "\"example.com\" or \"*.example.com\""},
      {"star within", routes("[[route]]\npool = \"app\"\nhost = \"a.*.b\""),
       "3:8: error: 'a.*.b' must be a host name without scheme and port, such as \"example.com\" "
       "or \"*.example.com\""},
  });
}

TEST(ConfigErrors, TiesOfRoutesNameTheOther) {
  const auto tie = [](std::string_view first, std::string_view second) {
    return routes("[[route]]\npool = \"app\"\n" + std::string(first) +
                  "\n[[route]]\npool = \"app\"\n" + std::string(second));
  };
  expect_each({
      {"any host", tie("", ""),
       "4:1: error: this route ties with 'route-1' in line 1: both take any host with path '/'"},
      {"slash at the end", tie("path = \"/ws\"", "path = \"/ws/\""),
       "4:1: error: this route ties with 'route-1' in line 1: both take any host with path '/ws'"},
      {"one host of many", tie("host = [\"a\", \"b\"]", "host = [\"c\", \"B\"]"),
       "4:1: error: this route ties with 'route-1' in line 1: both take host 'b' with path '/'"},
      {"wildcard", tie("host = \"*.a\"", "host = \"*.a\""),
       "4:1: error: this route ties with 'route-1' in line 1: both take host '*.a' with path '/'"},
      {"with itself", tie("", "host = [\"a\", \"a\"]"), "4:1: error: host 'a' is given twice"},
      {"name", tie("name = \"x\"", "name = \"x\"\npath = \"/x\""),
       "6:8: error: a route is named 'x' already"},
  });
}

TEST(ConfigErrors, AllAreToldAtOnceInTheOrderOfTheFile) {
  EXPECT_THAT(errors_of("[[route]]\npool = \"ap\"\n[pool.app]\nservers = [\"a\"]\n"
                        "[[listen]]\nadress = \"127.0.0.1:80\"\n"),
              ElementsAre(HasSubstr("2:8: error: unknown pool"), HasSubstr("4:12: error: 'a' has"),
                          HasSubstr("5:1: error: [[listen]] needs 'address'"),
                          HasSubstr("6:1: error: unknown key 'adress' in [[listen]]; did you mean "
                                    "'address'?")));
}

TEST(ConfigErrors, AnEmptyFileIsToldWhatItLacks) {
  EXPECT_THAT(
      errors_of(""),
      ElementsAre(" error: nothing to listen on: add [[listen]] with address = \"127.0.0.1:8080\"",
                  " error: no servers to pass requests to: add [pool.app] with servers = "
                  "[\"127.0.0.1:9001\"]",
                  " error: no route: add [[route]] with path = \"/\" and pool = \"app\""));
}

TEST(ConfigErrors, SyntaxStopsAtTheFirst) {
  expect_each({
      {"value", "a =\nb =\n", "1:4: error: syntax: expected value, saw '\\n'"},
      {"key twice", "[log]\nlevel = \"info\"\nlevel = \"info\"\n",
       "3:9: error: syntax: cannot redefine existing string 'level'"},
      {"table twice", "[log]\nlevel = \"info\"\n[log]\nfile = \"x\"\n",
       "3:1: error: syntax: cannot redefine existing table 'log'"},
  });
}

}  // namespace
}  // namespace gateway::config
