// Listeners that could not both have what they ask for.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/gateway/config/text.hh"
#include "tests/temporary_folder.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string two(const std::string& one, const std::string& other) {
  return listen("address = \"" + one + "\"\n[[listen]]\naddress = \"" + other + "\"");
}

// In either order.
void expect_peace(const std::string& one, const std::string& other) {
  EXPECT_THAT(errors_of(two(one, other)), IsEmpty());
  EXPECT_THAT(errors_of(two(other, one)), IsEmpty());
}

// What is said of the second one, and whose address the hint names; empty: there is none.
void expect_collision(const std::string& first, const std::string& second,
                      const std::string& hint) {
  EXPECT_THAT(errors_of(two(first, second)),
              ElementsAre("4:11: error: '" + second + "' is taken: '" + first +
                          "' in line 2 listens there already" + hint));
}

TEST(Collisions, AreOfTheSameAddress) {
  for (const std::string address :
       {"127.0.0.1:80", "0.0.0.0:80", "[::]:80", "[::1]:80", "[2001:db8::1]:80", "unix:/run/s"}) {
    expect_collision(address, address, "");
  }
  EXPECT_THAT(errors_of(two("[::1]:80", "[0:0::0:1]:80")),
              ElementsAre("4:11: error: '[::1]:80' is taken: '[::1]:80' in line 2 listens there "
                          "already"));
  EXPECT_THAT(errors_of(two("unix:/run/s", "unix:/run/../run//./s")),
              ElementsAre("4:11: error: 'unix:/run/s' is taken: 'unix:/run/s' in line 2 listens "
                          "there already"));
}

TEST(Collisions, AreOfOneAddressAndAllOfThem) {
  const std::string v4 = "; '0.0.0.0:80' stands for all IPv4 addresses: leave one of the two out";
  const std::string all = "; '[::]:80' stands for all addresses: leave one of the two out";
  const struct {
    const char* one;
    const char* other;
    const std::string& hint;
  } cases[] = {
      {"127.0.0.1:80", "0.0.0.0:80", v4}, {"10.1.2.3:80", "0.0.0.0:80", v4},
      {"[::1]:80", "[::]:80", all},       {"127.0.0.1:80", "[::]:80", all},
      {"0.0.0.0:80", "[::]:80", all},
  };
  for (const auto& each : cases) {
    expect_collision(each.one, each.other, each.hint);
    expect_collision(each.other, each.one, each.hint);
  }
}

// RFC 4291 section 2.5.5.2: the socket of the one is the other's.
TEST(Collisions, AreOfAnAddressOfIPv4InBothItsForms) {
  EXPECT_EQ(errors_of(two("127.0.0.1:80", "[::ffff:127.0.0.1]:80")).size(), 1u);
  EXPECT_EQ(errors_of(two("[::ffff:127.0.0.1]:80", "0.0.0.0:80")).size(), 1u);
  EXPECT_EQ(errors_of(two("[::ffff:0.0.0.0]:80", "127.0.0.1:80")).size(), 1u);
  EXPECT_EQ(errors_of(two("[::ffff:127.0.0.1]:80", "[::]:80")).size(), 1u);
  expect_peace("[::ffff:127.0.0.1]:80", "127.0.0.2:80");
}

TEST(Collisions, AreNotOfDifferentPortsOrKinds) {
  expect_peace("127.0.0.1:80", "127.0.0.1:81");
  expect_peace("0.0.0.0:80", "[::]:81");
  expect_peace("127.0.0.1:80", "127.0.0.2:80");
  expect_peace("0.0.0.0:80", "[::1]:80");
  expect_peace("0.0.0.0:80", "unix:/run/s");
  expect_peace("unix:/run/s", "unix:/run/t");
}

TEST(Collisions, NameTheFirstThatIsInTheWay) {
  EXPECT_THAT(
      errors_of(listen("address = \"127.0.0.1:80\"\n[[listen]]\naddress = \"127.0.0.2:80\"\n"
                       "[[listen]]\naddress = \"0.0.0.0:80\"")),
      ElementsAre("6:11: error: '0.0.0.0:80' is taken: '127.0.0.1:80' in line 2 listens there "
                  "already; '0.0.0.0:80' stands for all IPv4 addresses: leave one of the two out"));
}

TEST(Collisions, AreOfAUnixSocketWhoseFolderHasTwoNames) {
  const TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  std::filesystem::create_directory(folder / "real");
  std::filesystem::create_directory_symlink("real", folder / "link");
  const std::string real = "unix:" + (folder / "real/s").string();
  const std::string link = "unix:" + (folder / "link/s").string();
  expect_collision(real, link, "");
  expect_collision(link, real, "");
  expect_peace(real, "unix:" + (folder / "link/t").string());
  // A folder that is not there yet is no reason to look away.
  const std::string deep = "unix:" + (folder / "real/none/s").string();
  expect_collision(deep, "unix:" + (folder / "link/none/s").string(), "");
}

}  // namespace
}  // namespace gateway::config
