// Units, addresses and suggestions.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/un.h>

#include <array>

#include "gateway/config/address.hh"
#include "gateway/config/suggest.hh"
#include "gateway/config/units.hh"

namespace gateway::config {
namespace {

using namespace std::chrono_literals;

TEST(Units, ReadsDurations) {
  EXPECT_EQ(parse_duration("0ms"), 0ms);
  EXPECT_EQ(parse_duration("1ms"), 1ms);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("24h"), 24h);
  for (const char* wrong : {"", "s", "30", "30 s", " 30s", "30s ", "-1s", "+1s", "1.5s", "1m30s",
                            "30S", "30sec", "99999999999999999999s", "9223372036854775807h"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(Units, ReadsSizes) {
  EXPECT_EQ(parse_size("0B"), 0u);
  EXPECT_EQ(parse_size("512B"), 512u);
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("3MiB"), 3u << 20);
  EXPECT_EQ(parse_size("8GiB"), 8ull << 30);
  for (const char* wrong :
       {"", "64", "64KB", "64k", "64kib", "-1B", "18446744073709551615B", "8589934592GiB"}) {
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  }
}

TEST(Units, PrintsInTheLargestWholeUnit) {
  EXPECT_EQ(print_duration(0ms), "0s");
  EXPECT_EQ(print_duration(1500ms), "1500ms");
  EXPECT_EQ(print_duration(90s), "90s");
  EXPECT_EQ(print_duration(60s), "1m");
  EXPECT_EQ(print_duration(24h), "24h");
  EXPECT_EQ(print_size(0), "0B");
  EXPECT_EQ(print_size(1000), "1000B");
  EXPECT_EQ(print_size(65536), "64KiB");
  EXPECT_EQ(print_size(1536 << 10), "1536KiB");
  EXPECT_EQ(print_size(1 << 30), "1GiB");
}

TEST(Address, ReadsBackFromItsText) {
  for (const char* text : {"127.0.0.1:1", "0.0.0.0:65535", "[::]:80", "[2001:db8::1]:443"}) {
    const auto where = split_host_port(text);
    ASSERT_TRUE(where) << text;
    const auto address = literal_address(*where);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), text);
    EXPECT_EQ(address->port(), where->port);
  }
}

TEST(Address, HasTheInterfaceOfALinkLocalOne) {
  const std::string text = "[fe80::1%lo]:80";
  const auto where = split_host_port(text);
  ASSERT_TRUE(where) << where.error();
  const auto address = literal_address(*where);
  ASSERT_TRUE(address);
  const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(&address->storage);
  EXPECT_EQ(v6->sin6_scope_id, if_nametoindex("lo"));
  EXPECT_EQ(address->text(), text);
  EXPECT_EQ(literal_address({fmt::format("fe80::1%{}", v6->sin6_scope_id), 80}), address);
  EXPECT_NE(literal_address({"fe80::1", 80}), address);
  for (const char* zone : {"", "no-such", "0", "4294967296", "99999", "lo%lo"}) {
    const std::string host = std::string("fe80::1%") + zone;
    EXPECT_FALSE(literal_address({host, 80})) << host;
    EXPECT_EQ(split_host_port("[" + host + "]:80").error(),
              fmt::format("names a network interface that there is not, '{}'", zone));
  }
  EXPECT_FALSE(literal_address({"127.0.0.1%lo", 80}));
}

TEST(Address, SaysWhatToWriteInsteadOfAUrl) {
  EXPECT_EQ(split_host_port("http://127.0.0.1:9001").error(), "is a URL: write \"127.0.0.1:9001\"");
  EXPECT_EQ(split_host_port("https://[::1]:80/a?b").error(), "is a URL: write \"[::1]:80\"");
  EXPECT_EQ(split_host_port("https://app/").error(), "is a URL: write \"app:443\"");
  EXPECT_EQ(split_host_port("http://[::1]").error(), "is a URL: write \"[::1]:80\"");
  EXPECT_EQ(split_host_port("app.internal.:80").error(),
            "has a host that ends in a dot: leave the dot out");
}

TEST(Address, TellsAnAddressFromAName) {
  EXPECT_TRUE(literal_address({"127.0.0.1", 1}));
  for (const char* name : {"localhost", "127.1", "127.0.0.256", "1.2.3.4.5", ""})
    EXPECT_FALSE(literal_address({name, 1})) << name;
}

TEST(Address, RefusesTextsThatAreNoHostAndPort) {
  for (const char* wrong : {"", ":", "a", "a:", ":80", "a:b", "a:80x", "a:0", "a:-1", "a:65536",
                            "::1", "::1:80", "[::1]", "[::1]80", "[]:80", "[a]:80", "a:b:80"}) {
    EXPECT_FALSE(split_host_port(wrong)) << wrong;
  }
}

TEST(Address, NamesAUnixSocketByItsPath) {
  const auto address = unix_address("/run/app.sock");
  ASSERT_TRUE(address) << address.error();
  EXPECT_EQ(address->family(), AF_UNIX);
  EXPECT_TRUE(address->is_unix());
  EXPECT_EQ(address->length, offsetof(sockaddr_un, sun_path) + sizeof "/run/app.sock");
  EXPECT_EQ(address->port(), 0);
  EXPECT_EQ(address->unix_path(), "/run/app.sock");
  EXPECT_EQ(address->text(), "unix:/run/app.sock");
  EXPECT_FALSE(*address == *unix_address("/run/other.sock"));
  EXPECT_TRUE(unix_address('/' + std::string(106, 'a')));
}

TEST(Address, SaysWhatIsWrongWithAPathOfAUnixSocket) {
  EXPECT_EQ(unix_address("").error(), "has no path: write \"unix:/run/app.sock\"");
  EXPECT_EQ(unix_address("/a\nb").error(), "has a control character in its path");
  EXPECT_EQ(unix_address(std::string_view("/a\0b", 4)).error(),
            "has a control character in its path");
  const std::string path = '/' + std::string(107, 'a');
  EXPECT_EQ(unix_address(path).error(),
            "has a path of 108 bytes, '" + path + "': a Unix socket's has 107 at most");
}

// What the system gives for a client, which is bound to no path.
TEST(Address, OfAUnixSocketMayHaveNoPath) {
  Address address;
  address.storage.ss_family = AF_UNIX;
  address.length = sizeof(sa_family_t);
  EXPECT_EQ(address.unix_path(), "");
  EXPECT_EQ(address.text(), "unix:");
  EXPECT_EQ(literal_address({"127.0.0.1", 1})->unix_path(), "");
}

TEST(Address, AsksTheSystemForNames) {
  const auto addresses = resolve_by_system({"127.0.0.1", 9001});
  ASSERT_TRUE(addresses) << addresses.error();
  ASSERT_EQ(addresses->size(), 1u);
  EXPECT_EQ(addresses->front().text(), "127.0.0.1:9001");
  const std::string no_name(64, 'a');  // longer than a label may be: fails without asking anybody
  EXPECT_FALSE(resolve_by_system({no_name, 1}));
}

TEST(Address, AreDialledWithTheFamiliesInTurnAndEachOnce) {
  struct Case {
    std::vector<const char*> given;
    std::vector<const char*> order;
  };
  for (const Case& each : {
           Case{{}, {}},
           Case{{"::1", "::2", "::3", "10.0.0.1", "10.0.0.2"},
                {"::1", "10.0.0.1", "::2", "10.0.0.2", "::3"}},
           Case{{"10.0.0.1", "10.0.0.2", "::1"}, {"10.0.0.1", "::1", "10.0.0.2"}},
           Case{{"10.0.0.1", "10.0.0.2", "10.0.0.1"}, {"10.0.0.1", "10.0.0.2"}},
       }) {
    const auto addresses = [](const std::vector<const char*>& hosts) {
      std::vector<Address> all;
      for (const char* host : hosts) all.push_back(*literal_address({host, 80}));
      return all;
    };
    EXPECT_EQ(in_dialling_order(addresses(each.given)), addresses(each.order));
  }
}

TEST(Suggest, CountsTypingMistakes) {
  struct Case {
    const char* one;
    const char* other;
    size_t distance;
  };
  for (const Case& each :
       {Case{"", "", 0}, Case{"", "abc", 3}, Case{"abc", "", 3}, Case{"address", "address", 0},
        Case{"adress", "address", 1}, Case{"addresss", "address", 1}, Case{"adderss", "address", 1},
        Case{"andress", "address", 1}, Case{"kitten", "sitting", 3}}) {
    EXPECT_EQ(edit_distance(each.one, each.other), each.distance) << each.one << each.other;
  }
}

TEST(Suggest, NamesTheNearestWordOrNone) {
  constexpr std::array<std::string_view, 4> kWords = {"address", "certificates", "key", "chain"};
  EXPECT_EQ(did_you_mean("adress", kWords), "; did you mean 'address'?");
  EXPECT_EQ(did_you_mean("ADDRESS", kWords), "; did you mean 'address'?");
  EXPECT_EQ(did_you_mean("kez", kWords), "; did you mean 'key'?");
  EXPECT_EQ(did_you_mean("xyz", kWords), "");
  EXPECT_EQ(did_you_mean("", kWords), "");
  EXPECT_EQ(did_you_mean("timeout", kWords), "");
  EXPECT_EQ(did_you_mean(std::string(100'000, 'a'), kWords), "");
}

}  // namespace
}  // namespace gateway::config
