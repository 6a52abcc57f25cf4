// How many clients there may be, and who: [limits], [limits.address], 'allow' and 'deny'.
#include <filesystem>
#include <fstream>

#include "gateway/config/difference.hh"
#include "gateway/config/list_files.hh"
#include "tests/gateway/config/text.hh"
#include "tests/temporary_folder.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

bool admits(const Access& access, std::string_view address) {
  return access.list == nullptr || access.list->admits(parse_network(address)->address);
}

TEST(ClientLimits, AreOffUnlessTheyAreGiven) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->client_limits, ClientLimits{});
  EXPECT_FALSE(config->client_limits.address.any());
  EXPECT_EQ(config->listeners[0].connections_max, 0u);
  EXPECT_EQ(config->listeners[0].access.list, nullptr);
  EXPECT_EQ(config->routes[0].limits.connections_max, 0u);
  EXPECT_EQ(config->routes[0].access.list, nullptr);
}

TEST(ClientLimits, OfARouteAreItsOwnOrTheDefaults) {
  const auto config = read(
      "[limits]\nconnections = 7\n[defaults.limits]\nconnections = 5\n"
      "[[route]]\npath = \"/a\"\npool = \"app\"\nlimits = { connections = 3 }\n"
      "[[route]]\npath = \"/b\"\npool = \"app\"\nlimits = { connections = \"off\" }\n" +
      complete());
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->client_limits.connections, 7u);
  EXPECT_EQ(config->routes[0].limits.connections_max, 3u);
  EXPECT_EQ(config->routes[1].limits.connections_max, 0u);
  EXPECT_EQ(config->routes[2].limits.connections_max, 5u);
}

TEST(ClientLimits, NameWhatIsWrong) {
  expect_each({
      {"no connections", table("[limits]\nconnections = 0"),
       "2:15: error: 'connections' must be between 1 and 1000000000 or \"off\", not 0"},
      {"a rate with a unit", table("[limits.address]\nrequests_per_second = \"5/s\""),
       "2:23: error: 'requests_per_second' must be a whole number or \"off\", not a string"},
      {"a large table", table("[limits]\naddresses = 16777217"),
       "2:13: error: 'addresses' must be between 1 and 16777216, not 16777217"},
      {"no memory", table("[limits]\nmemory_max = \"1MiB\""),
       "2:14: error: 'memory_max' must be between 16MiB and 16384GiB, or \"auto\", not '1MiB'"},
      {"a full table", table("[limits]\ntable_full = \"drop\""),
       "2:14: error: 'table_full' must be one of refuse, allow, not 'drop'"},
      {"no network", listen("address = \"127.0.0.1:1\"\ndeny = [\"10.0.0.1/8\", \"all\"]"),
       "3:9: error: '10.0.0.1/8' has bits beyond its prefix: write \"10.0.0.0/8\"; a file of them "
       "is \"file:PATH\"",
       "3:23: error: 'all' is no IP address or network, such as \"10.0.0.0/8\" or \"::1\"; a file "
       "of them is \"file:PATH\""},
      {"no file", routes("[[route]]\npool = \"app\"\nallow = \"file:\""),
       "3:9: error: 'file:' must name a file, such as \"file:networks.txt\""},
      {"a Unix socket", listen("address = \"unix:/run/a.sock\"\nallow = \"10.0.0.0/8\""),
       "3:9: error: 'allow' is for addresses, and whoever comes through a Unix socket has none: "
       "'mode' and 'owner' say who may"},
  });
}

class ListFilesTest : public testing::Test {
 protected:
  std::expected<Config, Errors> read_with(std::string_view blocked, FilesRead* files = nullptr) {
    std::ofstream(folder_.path() / "blocked.txt", std::ios::binary) << blocked;
    std::ofstream(folder_.path() / "gateway.conf")
        << "[[listen]]\naddress = \"127.0.0.1:8080\"\ndeny = [\"file:blocked.txt\", "
           "\"192.0.2.1\"]\n"
        << "[[route]]\npath = \"/x\"\npool = \"app\"\nallow = \"file:blocked.txt\"\n"
        << kPool << kRoute;
    return read_file(folder_.path() / "gateway.conf", resolve_for_test, files);
  }

  const TemporaryFolder folder_;
};

TEST_F(ListFilesTest, HoldANetworkALineAndComments) {
  FilesRead files;
  const auto config = read_with(
      "# a comment\n10.0.0.0/8\n\n  2001:db8::/32   # "
      "another\r\n\t198.51.100.7\r\n#\n192.0.2.128/25",
      &files);
  ASSERT_TRUE(config) << config.error().front().text();
  const Access& denied = config->listeners[0].access;
  for (const char* const out :
       {"10.9.9.9", "2001:db8::1", "198.51.100.7", "192.0.2.129", "192.0.2.1"})
    EXPECT_FALSE(admits(denied, out)) << out;
  for (const char* const in : {"11.0.0.1", "198.51.100.8", "192.0.2.2", "2001:db9::"})
    EXPECT_TRUE(admits(denied, in)) << in;
  EXPECT_TRUE(admits(config->routes[0].access, "10.9.9.9"));
  EXPECT_FALSE(admits(config->routes[0].access, "11.0.0.1"));
  EXPECT_TRUE(files.contains((folder_.path() / "blocked.txt").string()));
  const auto again = read(to_toml(*config));
  ASSERT_TRUE(again) << again.error().front().text();
  EXPECT_EQ(again->listeners[0].access, denied);
}

TEST_F(ListFilesTest, NameEachLineThatIsNoNetwork) {
  const auto config = read_with("10.0.0.0/8\n  10.0.0.300\n10.0.0.1/8 # x\n");
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 4u);  // by either of those who name the file
  const std::string path = (folder_.path() / "blocked.txt").string();
  EXPECT_THAT(config.error()[0].text(), HasSubstr("gateway.conf:3:9: error: " + path +
                                                  ":2:3: '10.0.0.300' is no IP address"));
  EXPECT_THAT(config.error()[1].text(), HasSubstr(path + ":3:1: '10.0.0.1/8' has bits beyond"));
}

TEST_F(ListFilesTest, TellHowManyMoreLinesAreWrong) {
  std::string text;
  for (int n = 0; n < 1000; ++n) text += "x\n";
  const auto config = read_with(text);
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 2 * (ListFiles::kFaultsMax + 1));
  EXPECT_THAT(config.error()[ListFiles::kFaultsMax].text(),
              HasSubstr("has 990 more lines that are no networks"));
}

TEST_F(ListFilesTest, MayBeAbsentOrTooLargeByName) {
  const std::string large(kFileBytesMax + 1, '#');
  const auto too_large = read_with(large);
  ASSERT_FALSE(too_large);
  EXPECT_THAT(too_large.error()[0].text(), HasSubstr("blocked.txt' "));
  std::ofstream(folder_.path() / "gateway.conf")
      << "[[listen]]\naddress = \"127.0.0.1:8080\"\ndeny = \"file:none.txt\"\n"
      << kPool << kRoute;
  const auto absent = read_file(folder_.path() / "gateway.conf", resolve_for_test);
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error()[0].text(), HasSubstr("none.txt' does not exist"));
}

TEST_F(ListFilesTest, MakeAChangeWhenTheyHoldSomethingElse) {
  const auto before = read_with("10.0.0.0/8\n");
  const auto same = read_with("# other words\n10.0.0.0/9\n10.128.0.0/9\n");
  const auto other = read_with("10.0.0.0/9\n");
  ASSERT_TRUE(before && same && other);
  EXPECT_THAT(compare(*before, *same).changes, IsEmpty());
  EXPECT_THAT(compare(*before, *other).changes,
              ElementsAre("listener 127.0.0.1:8080 changed", "route route-1 changed"));
}

TEST_F(ListFilesTest, MayHoldAHundredThousandInAll) {
  std::string text;
  for (unsigned n = 0; n < 60'000; ++n)
    text += std::to_string(11 + n / 65536) + "." + std::to_string(n / 256 % 256) + "." +
            std::to_string(n % 256) + ".1\n";
  const auto config = read_with(text);
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_FALSE(admits(config->listeners[0].access, "11.0.7.1"));
  EXPECT_TRUE(admits(config->listeners[0].access, "11.0.7.2"));
}

}  // namespace
}  // namespace gateway::config
