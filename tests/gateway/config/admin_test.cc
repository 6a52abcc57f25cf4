// [admin]: where it listens, and who may.
#include <fstream>

#include "tests/gateway/config/every_key.hh"
#include "tests/gateway/config/text.hh"
#include "tests/temporary_folder.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string admin(std::string_view keys) {
  return table("[admin]\n" + std::string(keys));
}

TEST(ConfigAdmin, IsOffByDefault) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->admin.address);
  EXPECT_FALSE(read(admin("address = \"off\""))->admin.address);
}

TEST(ConfigAdmin, IsWhatTheFileSays) {
  const auto config = read(kEveryKey);
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->admin.address->text(), "unix:/etc/gateway/run/admin.sock");
  EXPECT_EQ(config->admin.unix_file.mode, 0600u);
  EXPECT_THAT(config->admin.hosts, ElementsAre("gateway.internal", "admin.test"));
  EXPECT_TRUE(config->admin.capture_payload);
  EXPECT_TRUE(config->admin.tls && config->admin.tls->self_signed);
}

TEST(ConfigAdmin, KnowsWhichAddressesAreLocal) {
  for (const char* local :
       {"127.0.0.1:9090", "127.255.0.1:1", "[::1]:9090", "[::ffff:127.0.0.1]:9090", "unix:a.sock"})
    EXPECT_THAT(errors_of(admin("address = \"" + std::string(local) + "\"")), IsEmpty()) << local;
  for (const char* remote :
       {"0.0.0.0:9090", "[::]:9090", "10.0.0.1:9090", "[2001:db8::1]:9090", "128.0.0.1:9090"})
    EXPECT_THAT(errors_of(admin("address = \"" + std::string(remote) + "\"")),
                ElementsAre(HasSubstr("can be reached from other machines: add token_file")))
        << remote;
}

TEST(ConfigAdmin, NamesWhatIsWrong) {
  EXPECT_THAT(errors_of(admin("address = \"127.0.0.1:8080\"")), ElementsAre(HasSubstr("is taken")));
  EXPECT_THAT(errors_of(admin("adress = \"127.0.0.1:9090\"")), ElementsAre(HasSubstr("'address'")));
  EXPECT_THAT(errors_of(admin("address = \"127.0.0.1:9090\"\nmode = \"0600\"")),
              ElementsAre(HasSubstr("'mode' is for Unix sockets")));
  EXPECT_THAT(errors_of(admin("address = \"127.0.0.1:9090\"\nhosts = [\"a b\"]")),
              ElementsAre(HasSubstr("'a b' must be a name without a port")));
  EXPECT_THAT(errors_of(admin("address = \"127.0.0.1:9090\"\ntoken_file = \"/nowhere/token\"")),
              ElementsAre(HasSubstr("token file '/nowhere/token' does not exist")));
}

TEST(ConfigAdmin, ReadsATokenThatIsOne) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "token").string();
  const auto with = [&](std::string_view content) {
    std::ofstream(path) << content;
    return admin("address = \"0.0.0.0:9090\"\ntoken_file = \"" + path + "\"");
  };
  const auto config = read(with("0123456789abcdef.-_~Z\nmore\n"));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->admin.token, "0123456789abcdef.-_~Z");
  EXPECT_THAT(config->warnings,
              ElementsAre(HasSubstr("the token crosses the network in plain text")));
  for (const std::string& bad :
       {std::string(), std::string("short"), std::string(257, 'a'),
        std::string("with a blank in the middle"), std::string("sixteen+and/more=")}) {
    const auto errors = errors_of(with(bad));
    ASSERT_EQ(errors.size(), 1u) << bad;
    EXPECT_THAT(errors.front(), HasSubstr("must have 16 to 256 letters, digits and -._~"));
    // The token itself is told to nobody.
    EXPECT_THAT(errors.front(), testing::Not(HasSubstr(bad.empty() ? "\1" : bad)));
  }
}

}  // namespace
}  // namespace gateway::config
