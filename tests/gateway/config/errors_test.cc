// Each error of the configuration: its text and its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/config/text.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
      {"behind a table of a route",
       routes("[[route]]\npath = \"/x\"\n[route.answer]\npool = \"app\"\n[route.response_headers]\n"
              "name = \"x\""),
       "4:1: error: unknown key 'pool' in [route.answer]; it belongs in [[route]]",
       "6:1: error: unknown key 'name' in [route.response_headers]; it belongs in [[route]]"},
      {"behind a table of a table",
       table("[pool.b]\nservers = \"[::1]:1\"\n[pool.b.tls]\n"
             "verify = false\nvia = \"x\"\nbalance = \"x\""),
       "5:1: error: unknown key 'via' in [pool.b.tls]; it belongs at the top of the file, before "
       "any "
       "table",
       "6:1: error: unknown key 'balance' in [pool.b.tls]; it belongs in [pool.b]"},
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
       "2:12: error: 'servers' must be a server, such as \"127.0.0.1:9001\" or { address = "
       "\"127.0.0.1:9001\" }, or a list of them, not an integer"},
      {"server without an address", pool("servers = [{}]"),
       "2:12: error: an entry of 'servers' needs 'address', such as address = "
       "\"127.0.0.1:9001\""},
      {"unknown key of a server", pool("servers = [{ address = \"127.0.0.1:1\", wieght = 2 }]"),
       "2:39: error: unknown key 'wieght' in an entry of 'servers'; did you mean 'weight'?"},
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
      {"too often", table("[log]\nwebsocket_every = \"999ms\""),
       "2:19: error: 'websocket_every' must be between 1s and 24h or \"off\", not 999ms"},
      {"no shards", table("shards = 0"),
       "1:10: error: 'shards' must be between 1 and 256 or \"auto\", not 0"},
      {"many shards", table("shards = 257"),
       "1:10: error: 'shards' must be between 1 and 256 or \"auto\", not 257"},
      {"body of nothing", table("[limits]\nbody = \"0B\""),
       "2:8: error: 'body' must be between 1B and 1024GiB or \"off\", not 0B"},
      {"body of a word", table("[limits]\nbody = \"none\""),
       "2:8: error: 'none' is not a size: write a whole number and B, KiB, MiB or GiB, such as "
       "\"64KiB\" or \"off\""},
      {"small header", table("[limits]\nheader = \"1023B\""),
       "2:10: error: 'header' must be between 1KiB and 64KiB, not 1023B"},
      {"many fields", table("[limits]\nheader_count = 1025"),
       "2:16: error: 'header_count' must be between 1 and 1024, not 1025"},
      {"no fields of a response", table("[limits]\nresponse_header_count = 0"),
       "2:25: error: 'response_header_count' must be between 1 and 1024, not 0"},
      {"count of a word", table("[limits]\nheader_count = \"off\""),
       "2:16: error: 'header_count' must be a whole number, not a string"},
      {"target above the header", table("[limits]\nheader = \"4KiB\"\ntarget = \"8KiB\""),
       "3:10: error: 'target' must not be above 'header', which is 4KiB: the header includes it"},
      {"no requests", table("[limits]\nrequests_per_connection = 0"),
       "2:27: error: 'requests_per_connection' must be between 1 and 1000000000 or \"off\", not 0"},
      {"idle bodies for ever", table("[timeouts]\nresponse_idle = \"off\""),
       "2:17: error: 'off' is not a duration: write a whole number and ms, s, m or h, such as "
       "\"30s\""},
      {"via", table("via = \"a b\""),
       "1:7: error: 'a b' must be a name without blanks, such as \"gateway\", or \"off\""},
      {"proxies", table("trusted_proxies = [\"unix\", \"10.0.0.1/8\", \"localhost\"]"),
       "1:28: error: '10.0.0.1/8' has bits beyond its prefix: write \"10.0.0.0/8\"",
       "1:42: error: 'localhost' is no IP address or network, such as \"10.0.0.0/8\" or \"::1\""},
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
      {"URL", listen("address = \"https://0.0.0.0:8443\""),
       "2:11: error: 'https://0.0.0.0:8443' is a URL: write \"0.0.0.0:8443\""},
      {"NUL", listen("address = \"127.0.0.1\\u0000x:80\""),
       "2:11: error: 'address' must not have control characters"},
      {"interface", listen("address = \"[fe80::1%no-such]:80\""),
       "2:11: error: '[fe80::1%no-such]:80' names a network interface that there is not, "
       "'no-such'"},
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
  });
}

TEST(ConfigErrors, UnixSocketsHaveAPathAndAFile) {
  const std::string path(108, 'a');
  const auto socket = [](std::string_view lines) {
    return listen("address = \"unix:/run/s\"\n" + std::string(lines));
  };
  expect_each({
      {"no path", listen("address = \"unix:\""),
       "2:11: error: 'unix:' has no path: write \"unix:/run/app.sock\""},
      {"long path", listen("address = \"unix:/" + path + "\""),
       "2:11: error: 'unix:/" + path + "' has a path of 109 bytes, '/" + path +
           "': a Unix socket's has 107 at most"},
      {"mode", socket("mode = \"0680\""),
       "3:8: error: 'mode' must be permission bits in octal, such as \"0660\", not '0680'"},
      {"too many bits", socket("mode = \"1777\""),
       "3:8: error: 'mode' must be permission bits in octal, such as \"0660\", not '1777'"},
      {"mode as a number", socket("mode = 0o660"),
       "3:8: error: 'mode' must be a string in quotes, not an integer"},
      {"user", socket("owner = \"no-such-user\""), "3:9: error: there is no user 'no-such-user'"},
      {"group", socket("owner = \"root:no-such-group\""),
       "3:9: error: there is no group 'no-such-group'"},
      {"no group", socket("owner = \"root:\""), "3:9: error: there is no group ''"},
      {"numbers", socket("owner = \"4242:4243\"")},
      {"group alone", socket("owner = \":root\"")},
      {"of an IP address", listen("address = \"[::1]:1\"\nmode = \"0660\"\nowner = \"root\""),
       "3:8: error: 'mode' is for Unix sockets, such as address = \"unix:/run/gateway.sock\"",
       "4:9: error: 'owner' is for Unix sockets, such as address = \"unix:/run/gateway.sock\""},
      {"server", pool("servers = \"unix:\""),
       "2:11: error: 'unix:' has no path: write \"unix:/run/app.sock\""},
      {"server twice", pool("servers = [\"unix:/a\", \"unix:/b/../a\"]"),
       "2:23: error: server 'unix:/b/../a' is in this pool already"},
  });
}

TEST(ConfigErrors, RedirectsGoToHttps) {
  const auto redirect = [](const std::string& value) {
    return listen("address = \"[::1]:1\"\nredirect = \"" + value + "\"");
  };
  expect_each({
      {"scheme", redirect("http"),
       "3:12: error: 'redirect' must be \"https\" or \"https:PORT\", not 'http'"},
      {"port", redirect("https:0"),
       "3:12: error: 'redirect' must be \"https\" or \"https:PORT\", not 'https:0'"},
      {"host", redirect("https://a"),
       "3:12: error: 'redirect' must be \"https\" or \"https:PORT\", not 'https://a'"},
      {"certificates", redirect("https\"\ncertificates = \"self-signed"),
       "3:12: error: a listener that redirects to https has no certificates of its own: leave "
       "'redirect' or 'certificates' out"},
  });
}

TEST(ConfigErrors, PoolsNeedServersThatResolve) {
  expect_each({
      {"missing", pool(""),
       "1:1: error: [pool.app] needs 'servers', such as servers = [\"127.0.0.1:9001\"]"},
      {"empty", pool("servers = []"), "2:11: error: 'servers' must not be an empty list"},
      {"unknown name", pool("servers = [\"known.test:1\", \"other.test:1\"]"),
       "2:28: error: 'other.test' cannot be resolved: no such name"},
      {"URL", pool("servers = [\"http://a:80\", \"http://b/c\"]"),
       "2:12: error: 'http://a:80' is a URL: write \"a:80\"",
       "2:27: error: 'http://b/c' is a URL: write \"b:80\""},
      {"URL with TLS", pool("servers = \"https://a\""),
       "2:11: error: 'https://a' is a URL: write \"a:443\", and add a table [pool.NAME.tls] for "
       "TLS "
       "to the server"},
      {"dot at the end", pool("servers = \"known.test.:1\""),
       "2:11: error: 'known.test.:1' has a host that ends in a dot: leave the dot out"},
      {"NUL", pool("servers = \"127.0.0.1\\u0000x:80\""),
       "2:11: error: 'servers' must not have control characters"},
      {"a path behind", pool("servers = \"a/b:80\""),
       "2:11: error: 'a/b:80' must be a host and a port, such as \"127.0.0.1:9001\""},
      {"twice", pool("servers = [\"known.test:1\", \"known.test:1\"]"),
       "2:28: error: server 'known.test:1' is in this pool already"},
      {"odd name", "[pool.\"a b\"]\nservers = \"127.0.0.1:1\"\n" + complete(),
       "1:7: error: 'a b' must be a name of letters, digits and -_."},
  });
}

TEST(ConfigErrors, PoolsKeepConnectionsWithinBounds) {
  const auto with = [](std::string_view line) {
    return pool("servers = \"127.0.0.1:1\"\n" + std::string(line));
  };
  expect_each({
      {"balance", with("balance = \"least-connection\""),
       "3:11: error: 'balance' must be one of round-robin, least-connections, random-of-two, "
       "hash, not 'least-connection'; did you mean 'least-connections'?"},
      {"none", with("keep_alive_connections = 0"),
       "3:26: error: 'keep_alive_connections' must be between 1 and 65536, not 0"},
      {"many", with("keep_alive_connections = 65537"),
       "3:26: error: 'keep_alive_connections' must be between 1 and 65536, not 65537"},
      {"idle", with("keep_alive_idle = \"0s\""),
       "3:19: error: 'keep_alive_idle' must be between 1ms and 24h or \"off\", not 0s"},
      {"age", with("keep_alive_age = \"off\""),
       "3:18: error: 'off' is not a duration: write a whole number and ms, s, m or h, such as "
       "\"30s\""},
      {"tls", with("tls = true"),
       "3:7: error: 'tls' must be a table, [pool.app.tls], not true or "
       "false"},
  });
}

TEST(ConfigErrors, RoutesNeedAKnownPoolAndAMatchablePath) {
  expect_each({
      {"missing pool", routes("[[route]]\n"),
       "1:1: error: [[route]] needs 'pool', such as pool = \"app\", or [route.answer], or "
       "[route.redirect]"},
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
      {"needless escape of a mark", routes("[[route]]\npool = \"app\"\npath = \"/%40me\""),
       "3:8: error: '/%40me' is never asked for like this: write '/@me'"},
      {"dots with a parameter", routes("[[route]]\npool = \"app\"\npath = \"/..;a\""),
       "3:8: error: '/..;a' has a bad percent escape, or a dot segment with a parameter"},
      {"escaped star", routes("[[route]]\npool = \"app\"\npath = \"/%2A\""),
       "3:8: error: '/%2A' must be of visible ASCII characters, without '*' and '\\': it is a "
       "prefix as it is"},
      {"escaped slashes", routes("[[route]]\npool = \"app\"\nescaped_slashes = \"refused\""),
       "3:19: error: 'escaped_slashes' must be one of keep, refuse, not 'refused'; did you mean "
       "'refuse'?"},
      {"method", routes("[[route]]\npool = \"app\"\nmethods = [\"GET\", \"a b\"]"),
       "3:19: error: 'a b' must be a method, such as \"GET\""},
      {"lower case", routes("[[route]]\npool = \"app\"\nmethods = \"get\""),
       "3:11: error: 'get' is never asked for like this: write 'GET'"},
      {"own method", routes("[[route]]\npool = \"app\"\nmethods = [\"purge\"]")},
      {"method twice", routes("[[route]]\npool = \"app\"\nmethods = [\"GET\", \"GET\"]"),
       "3:19: error: 'GET' is given twice"},
      {"CONNECT", routes("[[route]]\npool = \"app\"\nmethods = [\"CONNECT\"]"),
       "3:12: error: 'CONNECT' is not for a reverse proxy"},
      {"no method", routes("[[route]]\npool = \"app\"\nmethods = []"),
       "3:11: error: 'methods' must not be an empty list"},
      {"bad escape", routes("[[route]]\npool = \"app\"\npath = \"/a%2\""),
       "3:8: error: '/a%2' has a bad percent escape, or a dot segment with a parameter"},
      {"star", routes("[[route]]\npool = \"app\"\npath = \"/a/*\""),
       "3:8: error: '/a/*' must be of visible ASCII characters, without '*' and '\\': it is a "
       "prefix as it is"},
      {"dot at the end", routes("[[route]]\npool = \"app\"\nhost = \"a.b.\""),
       "3:8: error: 'a.b.' ends in a dot: leave the dot out, it is taken off what is asked for, "
       "too"},
      {"interface", routes("[[route]]\npool = \"app\"\nhost = \"[fe80::1%lo]\""),
       "3:8: error: '[fe80::1%lo]' must be a host name without scheme and port, such as "
       "\"example.com\" or \"*.example.com\""},
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

TEST(ConfigErrors, NamesOfRoutesAreNotTheDefaultsOfOthers) {
  const auto named = [](std::string_view first, std::string_view second) {
    return routes("[[route]]\npool = \"app\"\n" + std::string(first) +
                  "\n[[route]]\npool = \"app\"\npath = \"/x\"\n" + std::string(second));
  };
  expect_each({
      {"of a later one", named("name = \"route-2\"", ""),
       "3:8: error: 'route-2' is the default name of the route in line 4: take another one, or "
       "give that route a name, too"},
      {"of an earlier one", named("", "name = \"route-1\""),
       "7:8: error: 'route-1' is the default name of the route in line 1: take another one, or "
       "give that route a name, too"},
      {"its own", named("", "name = \"route-2\"")},
      {"of one that has a name", named("name = \"route-2\"", "name = \"route-1\"")},
      {"of none", named("name = \"route-3\"", "")},
      {"of one with a wrong name", named("name = \"route-2\"", "name = 2"),
       "7:8: error: 'name' must be a string in quotes, not an integer"},
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

constexpr const char* kNothingToListenOn =
    " error: nothing to listen on: add [[listen]] with address = \"127.0.0.1:8080\"";
constexpr const char* kNoServers =
    " error: no servers to pass requests to: add [pool.app] with servers = [\"127.0.0.1:9001\"]";
constexpr const char* kNoRoute =
    " error: no route: add [[route]] with path = \"/\" and pool = \"app\"";
constexpr const char* kAnswer = "[[route]]\n[route.answer]\n";
constexpr const char* kRedirect = "[[listen]]\naddress = \"[::1]:80\"\nredirect = \"https\"\n";

TEST(ConfigErrors, AFileIsToldWhatItLacksAsAWhole) {
  const std::string listener(kListen);
  const std::string route(kRoute);
  expect_each({
      {"all", "", kNothingToListenOn, kNoServers, kNoRoute},
      {"empty tables", "listen = []\nroute = []\n[pool]", kNothingToListenOn, kNoServers, kNoRoute},
      {"servers and routes", listener, kNoServers, kNoRoute},
      {"servers of a route", listener + route, kNoServers},
      {"servers of one of two routes",
       listener + "[[route]]\npath = \"/a\"\n[route.answer]\n" + route, kNoServers},
      {"listener", kAnswer, kNothingToListenOn},
      {"servers and routes of one of two listeners", kRedirect + listener, kNoServers, kNoRoute},
      {"servers of a route behind a redirect", kRedirect + route, kNoServers},
  });
}

TEST(ConfigErrors, AFileNeedsNoMoreThanItUses) {
  for (const std::string& complete :
       {std::string(kListen) + kAnswer, std::string(kRedirect), kRedirect + std::string(kAnswer),
        std::string(kListen) + "[[route]]\n[route.redirect]\nto = \"/x\"\n"}) {
    EXPECT_THAT(errors_of(complete), testing::IsEmpty()) << complete;
  }
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
