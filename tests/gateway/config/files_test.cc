// The configuration and the files around it: where paths begin, what certificates must hold.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "gateway/config/pem.hh"
#include "tests/gateway/config/files_stand.hh"
#include "tests/gateway/other_user.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(ConfigFiles, TakesCertificatesFromTheFolderOfTheConfiguration) {
  const auto file = write_config(
      "[\"tls/both.pem\", { chain = \"tls/chain.pem\", key = \"tls/../tls/key.pem\" }]");
  const auto config = read_file(file, resolve_for_test);
  ASSERT_TRUE(config) << config.error().front().text();
  const auto& certificates = config->listeners.at(0).tls.value().certificates;
  ASSERT_EQ(certificates.size(), 2u);
  EXPECT_EQ(certificates[0].chain_path, folder_ / "tls/both.pem");
  EXPECT_EQ(certificates[0].key_path, folder_ / "tls/both.pem");
  EXPECT_EQ(certificates[1].chain_path, folder_ / "tls/chain.pem");
  EXPECT_EQ(certificates[1].key_path, folder_ / "tls/key.pem");
  EXPECT_EQ(certificates[1].place.line, 3u);
}

TEST_F(ConfigFiles, TakesAFileNameWithoutFolderFromTheWorkingFolder) {
  const auto before = std::filesystem::current_path();
  write_config("[\"tls/both.pem\"]");
  std::filesystem::current_path(folder_);
  const auto config = read_file("gateway.conf", resolve_for_test);
  std::filesystem::current_path(before);
  ASSERT_TRUE(config) << config.error().front().text();
  const auto& certificate = config->listeners.at(0).tls.value().certificates.at(0);
  EXPECT_EQ(std::filesystem::path(certificate.chain_path).filename(), "both.pem");
  EXPECT_TRUE(std::filesystem::path(certificate.chain_path).is_absolute());
}

TEST_F(ConfigFiles, PrintsCertificatesSoThatTheyReadBackFromAnywhere) {
  const auto config = read_file(
      write_config("[{ chain = \"tls/chain.pem\", key = \"tls/key.pem\" }]"), resolve_for_test);
  ASSERT_TRUE(config);
  const std::string printed = to_toml(*config);
  const auto again = read(printed, "/elsewhere/gateway.conf");
  ASSERT_TRUE(again) << again.error().front().text();
  EXPECT_EQ(to_toml(*again), printed);
}

// Nobody opens them a second time.
TEST_F(ConfigFiles, HoldsWhatItsFilesHold) {
  const auto config = read_file(
      write_config("[\"tls/both.pem\", { chain = \"tls/chain.pem\", key = \"tls/key.pem\" }]"),
      resolve_for_test);
  ASSERT_TRUE(config) << config.error().front().text();
  const Tls& tls = config->listeners.at(0).tls.value();
  ASSERT_EQ(tls.pems.size(), 2u);
  EXPECT_EQ(tls.pems[0].chain, site().chain + site().key);
  EXPECT_EQ(tls.pems[0].key, site().chain + site().key);
  EXPECT_EQ(tls.pems[1].chain, site().chain);
  EXPECT_EQ(tls.pems[1].key, site().key);
  EXPECT_THAT(config->warnings, IsEmpty());

  const auto made = read_file(write_config("\"self-signed\""), resolve_for_test);
  ASSERT_TRUE(made) << made.error().front().text();
  EXPECT_EQ(made->listeners.at(0).tls.value().pems.size(), 1u);
}

// A pipe has nothing more for a second reader, and a renewal may come between two readings.
TEST_F(ConfigFiles, ReadsAFileOnceHoweverOftenItIsNamed) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const std::string both = site().chain + site().key;
  ASSERT_EQ(::write(ends[1], both.data(), both.size()), static_cast<ssize_t>(both.size()));
  close(ends[1]);
  const std::string path = "\"/proc/self/fd/" + std::to_string(ends[0]) + "\"";
  std::string text(kRoute);
  for (const char* port : {"8443", "8444"})
    text += "[[listen]]\naddress = \"127.0.0.1:" + std::string(port) + "\"\ncertificates = [" +
            path + "]\n";
  for (const char* pool : {"app", "other"})
    text += "[pool." + std::string(pool) + "]\nservers = [\"127.0.0.1:1\"]\n[pool." + pool +
            ".tls]\nca = " + path + "\n";
  const auto config = read_file(write("gateway.conf", text), resolve_for_test);
  close(ends[0]);
  ASSERT_TRUE(config) << config.error().front().text();
  for (const Listener& listener : config->listeners)
    EXPECT_EQ(listener.tls.value().pems.at(0).chain, both);
  for (const Pool& pool : config->pools) EXPECT_EQ(pool.tls.value().ca, both);
}

TEST_F(ConfigFiles, WarnsOfWhatCanBeServedAndIsOdd) {
  const tls::Pem old = tls::make_self_signed(std::chrono::days(-1)).value();
  write("tls/old.pem", old.chain + old.key);
  const auto expired = read_file(write_config("[\"tls/old.pem\"]"), resolve_for_test);
  ASSERT_TRUE(expired) << expired.error().front().text();
  ASSERT_EQ(expired->warnings.size(), 1u);
  EXPECT_THAT(without_folder(expired->warnings[0]),
              testing::MatchesRegex("DIR/gateway.conf:3:17: warning: certificate file "
                                    "'DIR/tls/old.pem' holds a certificate that expired on "
                                    "20..-..-..: renew it"));

  const auto made = read_file(write_config("\"self-signed\""), resolve_for_test);
  ASSERT_TRUE(made) << made.error().front().text();
  ASSERT_EQ(made->warnings.size(), 1u);
  EXPECT_EQ(without_folder(made->warnings[0]),
            "DIR/gateway.conf:3:16: warning: a self-signed certificate for localhost is for "
            "development only, and browsers will warn; for real use write certificates = "
            "[\"site.pem\"]");
}

TEST_F(ConfigFiles, NamesWhatIsWrongWithCertificates) {
  struct Case {
    const char* certificates;
    const char* error;
  };
  const std::string form =
      "\"self-signed\" or a list, such as [\"tls/site.pem\"] or "
      "[{ chain = \"site.pem\", key = \"site.key\" }]";
  const std::string not_a_list = "3:16: error: 'certificates' must be " + form;
  const std::string not_a_path = "3:17: error: 'certificates' must be " + form + ", not an integer";
  const std::vector<Case> cases = {
      {"[\"tls/site.pem\"]",
       "3:17: error: certificate file 'DIR/tls/site.pem' does not exist; its path is taken from "
       "the folder of the configuration file (certificates = \"self-signed\" makes one for "
       "development)"},
      {"[\"tls\"]", "3:17: error: certificate file 'DIR/tls' is a folder; name a PEM file"},
      {"[\"tls/key.pem\"]",
       "3:17: error: certificate file 'DIR/tls/key.pem' holds no certificate, only EC PRIVATE KEY; "
       "name the file that has the certificate"},
      {"[\"tls/empty.pem\"]",
       "3:17: error: certificate file 'DIR/tls/empty.pem' is empty: write it anew, in PEM form"},
      {"[{ chain = \"tls/chain.pem\", key = \"tls/other.pem\" }]",
       "3:50: error: certificate file 'DIR/tls/other.pem' holds a key that does not belong to the "
       "certificate in 'DIR/tls/chain.pem', which is for localhost: name the key that it was made "
       "with"},
      {"[\"tls/chain.pem\"]",
       "3:17: error: certificate file 'DIR/tls/chain.pem' holds no private key, only CERTIFICATE; "
       "put the key into it, or name another file with { chain = \"...\", key = \"...\" }"},
      {"[\"tls/encrypted.pem\"]",
       "3:17: error: certificate file 'DIR/tls/encrypted.pem' holds a key that is encrypted; store "
       "it decrypted, readable by the gateway alone: 'openssl pkey -in FILE' decrypts it"},
      {"[{ chain = \"tls/chain.pem\", key = \"tls/chain.pem\" }]",
       "3:50: error: certificate file 'DIR/tls/chain.pem' holds no private key, only CERTIFICATE; "
       "put the key into it, or name another file with { chain = \"...\", key = \"...\" }"},
      {"[{ chain = \"tls/chain.pem\" }]",
       "3:17: error: an entry of 'certificates' needs 'key', such as key = \"site.key\""},
      {"[{ chain = \"tls/both.pem\", key = \"tls/both.pem\", kex = 1 }]",
       "3:65: error: unknown key 'kex' in an entry of 'certificates'; did you mean 'key'?"},
      {"[\"self-signed\"]",
       "3:17: error: \"self-signed\" stands alone: certificates = \"self-signed\""},
      {"[]", "3:16: error: 'certificates' must not be an empty list; leave it out for plain text"},
      {"\"tls/both.pem\"", not_a_list.c_str()},
      {"[7]", not_a_path.c_str()},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.certificates);
    EXPECT_THAT(errors(write_config(one.certificates)),
                ElementsAre("DIR/gateway.conf:" + std::string(one.error)));
  }
}

TEST_F(ConfigFiles, NamesACertificateThatItMayNotRead) {
  std::filesystem::permissions(folder_ / "tls/both.pem", std::filesystem::perms::none);
  const auto file = write_config("[\"tls/both.pem\"]");
  const OtherUser other(folder_);
  EXPECT_THAT(errors(file),
              ElementsAre("DIR/gateway.conf:3:17: error: certificate file 'DIR/tls/both.pem' "
                          "cannot be read: Permission denied; let the user that runs the gateway "
                          "read it"));
}

TEST_F(ConfigFiles, TakesTheCaFileFromTheFolderOfTheConfiguration) {
  const auto config = read_file(write_pool("ca = \"tls/chain.pem\""), resolve_for_test);
  ASSERT_TRUE(config) << config.error().front().text();
  const PoolTls& tls = config->pools.at(0).tls.value();
  EXPECT_EQ(tls.ca_path, folder_ / "tls/chain.pem");
  EXPECT_TRUE(tls.verify);
  EXPECT_EQ(tls.place.line, 4u);
  const std::string printed = to_toml(*config);
  const auto again = read(printed, "/elsewhere/gateway.conf");
  ASSERT_TRUE(again) << again.error().front().text();
  EXPECT_EQ(to_toml(*again), printed);
}

TEST_F(ConfigFiles, TakesTheCertificatesOfTheSystemForAnEmptyTable) {
  const auto ca = find_system_ca();
  if (!ca) GTEST_SKIP() << ca.error();
  const auto config = read_file(write_pool(""), resolve_for_test);
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->pools.at(0).tls.value().ca_path, *ca);
}

TEST_F(ConfigFiles, NamesWhatIsWrongWithTlsTowardsServers) {
  struct Case {
    const char* lines;
    const char* error;
  };
  const std::vector<Case> cases = {
      {"ca = \"tls/none.pem\"",
       "5:6: error: CA file 'DIR/tls/none.pem' does not exist; its path is taken from the folder "
       "of "
       "the configuration file"},
      {"ca = \"tls/key.pem\"",
       "5:6: error: CA file 'DIR/tls/key.pem' holds no certificate, only EC PRIVATE KEY; name the "
       "file that has the CA's certificate"},
      {"ca = \"tls\"", "5:6: error: CA file 'DIR/tls' is a folder; name a PEM file"},
      {"ca = \"tls/chain.pem\"\nverify = 1",
       "6:10: error: 'verify' must be true or false, not an integer"},
      {"ca = \"tls/chain.pem\"\nname = \"*.a\"",
       "6:8: error: '*.a' must be a host name as in the servers' certificate, such as "
       "\"app.internal\""},
      {"ca = \"tls/chain.pem\"\nname = \"a.b:80\"",
       "6:8: error: 'a.b:80' must be a host name as in the servers' certificate, such as "
       "\"app.internal\""},
      {"verify = false\nciphers = \"x\"", "6:1: error: unknown key 'ciphers' in [pool.app.tls]"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.lines);
    EXPECT_THAT(errors(write_pool(one.lines)),
                ElementsAre("DIR/gateway.conf:" + std::string(one.error)));
  }
}

TEST_F(ConfigFiles, WantsANameToVerifyBehindAUnixSocket) {
  const std::string servers = "[\"127.0.0.1:1\", \"unix:app.sock\"]";
  EXPECT_THAT(
      errors(write_pool("ca = \"tls/chain.pem\"", servers)),
      ElementsAre("DIR/gateway.conf:4:1: error: [pool.app.tls] needs 'name', such as name = "
                  "\"app.internal\": a Unix socket, 'unix:DIR/app.sock', has no name that "
                  "a certificate could hold"));
  EXPECT_THAT(errors(write_pool("ca = \"tls/chain.pem\"\nname = \"a.b\"", servers)), IsEmpty());
  EXPECT_THAT(errors(write_pool("verify = false", servers)), IsEmpty());
}

TEST_F(ConfigFiles, TakesTheFirstFileOfCertificatesThatTheSystemHas) {
  const std::string chain = folder_ / "tls/chain.pem";
  const std::array<std::string_view, 2> second = {"/no/such/ca.pem", chain};
  EXPECT_EQ(find_system_ca(second), chain);
  const std::array<std::string_view, 2> none = {"/no/such/ca.pem", "/no/other.pem"};
  EXPECT_EQ(find_system_ca(none).error(),
            "this system has no CA certificates (/no/such/ca.pem, /no/other.pem): install the "
            "package ca-certificates, or name a file with ca = \"ca.pem\"");
}

TEST_F(ConfigFiles, SaysWhyTheConfigurationItselfCannotBeRead) {
  EXPECT_THAT(errors(folder_ / "none.conf"),
              ElementsAre("DIR/none.conf: error: there is no such file; name the configuration "
                          "with -c FILE"));
  EXPECT_THAT(errors(folder_ / "tls"),
              ElementsAre("DIR/tls: error: is a folder; name the configuration file with -c FILE"));
  EXPECT_THAT(errors(folder_ / "tls/both.pem/x"),
              ElementsAre("DIR/tls/both.pem/x: error: cannot be read: Not a directory; name the "
                          "configuration file with -c FILE"));
  EXPECT_THAT(errors(write("large.conf", std::string((1 << 20) + 1, '\n'))),
              ElementsAre("DIR/large.conf: error: is larger than 1MiB; name the configuration file "
                          "with -c FILE"));
}

TEST_F(ConfigFiles, TakesTheLogFileFromTheFolderOfTheConfiguration) {
  const auto config = read_file(
      write("gateway.conf", "[log]\nfile = \"gateway.log\"\n" + complete()), resolve_for_test);
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->log.targets.file, folder_ / "gateway.log");
}

// Also what could not be read, and whatever is wrong elsewhere: it may be mended there.
TEST_F(ConfigFiles, AreNotedAsTheyWereRead) {
  write("tls/ca.pem", site().chain);
  const auto file = write(
      "gateway.conf",
      "colour = 1\n[[listen]]\naddress = \"127.0.0.1:8443\"\ncertificates = [\"tls/both.pem\", "
      "{ chain = \"tls/chain.pem\", key = \"tls/none.pem\" }]\nclient_ca = \"tls/ca.pem\"\n"
      "[pool.app]\nservers = \"127.0.0.1:1\"\n[pool.app.tls]\nca = \"tls/ca.pem\"\n"
      "[pool.public]\nservers = \"127.0.0.1:1\"\n[pool.public.tls]\n" +
          std::string(kRoute));
  FilesRead files;
  EXPECT_FALSE(read_file(file, resolve_for_test, &files));
  std::vector<std::string> names;
  for (const auto& [name, state] : files) {
    names.push_back(without_folder(name));
    EXPECT_EQ(state.error, name.ends_with("none.pem") ? ENOENT : 0) << name;
    EXPECT_TRUE(look_at_file(name, state).says_the_same_as(state)) << name;
  }
  EXPECT_THAT(names, ElementsAre("DIR/gateway.conf", "DIR/tls/both.pem", "DIR/tls/ca.pem",
                                 "DIR/tls/chain.pem", "DIR/tls/none.pem"));
}

}  // namespace
}  // namespace gateway::config
