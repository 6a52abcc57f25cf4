// A configuration from the command line.
#include "gateway/config/command_line.hh"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gateway/config/pem.hh"
#include "proto/tls/self_signed.hh"
#include "tests/gateway/config/text.hh"
#include "tests/temporary_folder.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

std::expected<Config, Errors> configure(const CommandLine& line) {
  return from_command_line(line, resolve_for_test);
}

std::vector<std::string> errors_of(const CommandLine& line) {
  const auto config = configure(line);
  std::vector<std::string> texts;
  if (config) return texts;
  for (const Error& error : config.error()) texts.push_back(error.text());
  return texts;
}

TEST(CommandLine, ServesWithAllDefaults) {
  const auto config = configure({.from = {"http://127.0.0.1:8080"}, .to = {"127.0.0.1:9001"}});
  ASSERT_TRUE(config) << config.error().front().text();
  EXPECT_EQ(config->file, "the command line");
  EXPECT_EQ(to_toml(*config), to_toml(*read(complete())));
  EXPECT_EQ(config->match("any.example", "/any"), &config->routes.at(0));
}

TEST(CommandLine, ListensWhereItIsTold) {
  struct Listening {
    const char* from;
    const char* address;
    bool secure;
  };
  const std::string here = std::filesystem::current_path().string();
  const std::string relative = "unix:" + here + "/s";
  const std::vector<Listening> cases = {
      {"http://127.0.0.1:80", "127.0.0.1:80", false},
      {"https://127.0.0.1:8443/", "127.0.0.1:8443", true},
      {"http://[::1]:80", "[::1]:80", false},
      {"http://127.0.0.1", "127.0.0.1:80", false},
      {"https://[::1]", "[::1]:443", true},
      {"unix:/run/s", "unix:/run/s", false},
      {"unix:s", relative.c_str(), false},
      {"http+unix:/run/s", "unix:/run/s", false},
  };
  for (const Listening& one : cases) {
    const auto config = configure({.from = {one.from}, .to = {"127.0.0.1:1"}});
    ASSERT_TRUE(config) << config.error().front().text();
    ASSERT_EQ(config->listeners.size(), 1u);
    EXPECT_EQ(config->listeners[0].address.text(), one.address) << one.from;
    EXPECT_EQ(config->listeners[0].tls && config->listeners[0].tls->self_signed, one.secure)
        << one.from;
  }
}

TEST(CommandLine, ListensOnAllAddressesWithoutAHost) {
  const auto config = configure({.from = {"http://:80", "https://:443"}, .to = {"127.0.0.1:1"}});
  ASSERT_TRUE(config) << config.error().front().text();
  ASSERT_EQ(config->listeners.size(), 2u);
  EXPECT_THAT(config->listeners[0].address.text(),
              testing::AnyOf("[::]:80", "0.0.0.0:80"));  // as the machine has IPv6 or not
  EXPECT_EQ(config->listeners[1].address.port(), 443);
}

TEST(CommandLine, PassesRequestsToAllServers) {
  const auto config =
      configure({.from = {"http://:80"},
                 .to = {"known.test:1", "http://known.test:2/", "http://[::1]", "unix:/run/app"}});
  ASSERT_TRUE(config) << config.error().front().text();
  ASSERT_EQ(config->pools.size(), 1u);
  EXPECT_FALSE(config->pools[0].tls);
  std::vector<std::string> texts;
  for (const Server& server : config->pools[0].servers) texts.push_back(server.text);
  EXPECT_THAT(texts, ElementsAre("known.test:1", "known.test:2", "[::1]:80", "unix:/run/app"));
}

TEST(CommandLine, VerifiesServersOfHttpsByTheCertificatesOfTheSystem) {
  const auto ca = find_system_ca();
  if (!ca) GTEST_SKIP() << ca.error();
  const auto config = configure({.from = {"http://:80"}, .to = {"https://known.test"}});
  ASSERT_TRUE(config) << config.error().front().text();
  const Pool& pool = config->pools.at(0);
  EXPECT_EQ(pool.servers.at(0).text, "known.test:443");
  EXPECT_EQ(pool.servers[0].host, "known.test");
  EXPECT_EQ(pool.tls.value().ca_path, *ca);
  EXPECT_TRUE(pool.tls->verify);
  EXPECT_EQ(pool.tls->name, "");
}

TEST(CommandLine, SaysWhatIsWrongAndWhere) {
  const std::vector<std::string> from = {"http://127.0.0.1:80"};
  const std::vector<std::string> to = {"127.0.0.1:1"};
  struct Case {
    CommandLine line;
    std::vector<std::string> errors;
  };
  const std::vector<Case> cases = {
      {{.from = {":8080"}, .to = to},
       {"--from: error: ':8080' must begin with http:// or https://, such as http://:8080, or be "
        "unix:PATH"}},
      {{.from = {"http://localhost:80"}, .to = to},
       {"--from: error: 'localhost:80' must begin with an IP address, such as \"0.0.0.0:80\" or "
        "\"[::]:80\" for all of the machine's"}},
      {{.from = {"http://"}, .to = to},
       {"--from: error: '' has no port: write \"HOST:PORT\" or \"[IPV6]:PORT\""}},
      {{.from = {"http://127.0.0.1:80/ws"}, .to = to},
       {"--from: error: 'http://127.0.0.1:80/ws' must end behind its port: routes by path need a "
        "configuration file"}},
      {{.from = {"http://127.0.0.1:80", "https://127.0.0.1:80"}, .to = to},
       {"--from: error: '127.0.0.1:80' is taken: '127.0.0.1:80' is given already"}},
      {{.from = {"http://127.0.0.1:80", "https://0.0.0.0:80"}, .to = to},
       {"--from: error: '0.0.0.0:80' is taken: '127.0.0.1:80' is given already; '0.0.0.0:80' "
        "stands for all IPv4 addresses: leave one of the two out"}},
      {{.from = from, .to = {"other.test:1"}},
       {"--to: error: 'other.test' cannot be resolved: no such name"}},
      {{.from = from, .to = {"ftp://127.0.0.1:1"}},
       {"--to: error: 'ftp://127.0.0.1:1' must be HOST:PORT, or begin with http:// or https://, or "
        "be unix:PATH"}},
      {{.from = from, .to = {"127.0.0.1"}},
       {"--to: error: '127.0.0.1' has no port: write \"HOST:PORT\" or \"[IPV6]:PORT\""}},
      {{.from = from, .to = {"http://127.0.0.1:1/x"}},
       {"--to: error: 'http://127.0.0.1:1/x' must end behind its port: routes by path need a "
        "configuration file"}},
      {{.from = from, .to = {"127.0.0.1:1", "http://127.0.0.1:1"}},
       {"--to: error: 'http://127.0.0.1:1' is given twice"}},
      {{.from = from, .to = {"unix:"}},
       {"--to: error: 'unix:' has no path: write \"unix:/run/app.sock\""}},
      {{.from = from, .to = to, .key_path = "key.pem"},
       {"--key: error: needs --cert, the file of the certificate that the key is of"}},
      {{.from = {"127.0.0.1:80"}, .to = {"other.test:1"}},
       {"--from: error: '127.0.0.1:80' must begin with http:// or https://, such as http://:8080, "
        "or be unix:PATH",
        "--to: error: 'other.test' cannot be resolved: no such name"}},
  };
  for (const Case& one : cases) EXPECT_THAT(errors_of(one.line), ElementsAreArray(one.errors));
}

TEST(CommandLine, HasServersOfOneKind) {
  const auto ca = find_system_ca();
  if (!ca) GTEST_SKIP() << ca.error();
  for (const char* other : {"127.0.0.1:2", "http://127.0.0.1:2", "unix:/run/app"}) {
    EXPECT_THAT(errors_of({.from = {"http://:80"}, .to = {"https://127.0.0.1:1", other}}),
                ElementsAre("--to: error: either all servers are https:// or none: a configuration "
                            "file may have a pool of each kind"));
  }
}

// A folder of its own with PEM files.
class CommandLineCertificates : public testing::Test {
 protected:
  CommandLineCertificates() {
    const tls::Pem site = tls::make_self_signed().value();
    std::ofstream(path("chain.pem")) << site.chain;
    std::ofstream(path("key.pem")) << site.key;
    std::ofstream(path("both.pem")) << site.chain << site.key;
    std::ofstream(path("other.pem")) << tls::make_self_signed().value().key;
  }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  CommandLine line(const std::string& chain, const std::string& key) const {
    return {.from = {"https://:443"}, .to = {"127.0.0.1:1"}, .chain_path = chain, .key_path = key};
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
};

TEST_F(CommandLineCertificates, AreInOneFileOrTwo) {
  const auto both = configure(line(path("both.pem"), ""));
  ASSERT_TRUE(both) << both.error().front().text();
  const Tls& one = both->listeners.at(0).tls.value();
  EXPECT_FALSE(one.self_signed);
  EXPECT_EQ(one.certificates.at(0).chain_path, path("both.pem"));
  EXPECT_EQ(one.certificates[0].key_path, path("both.pem"));

  const auto apart = configure(line(path("chain.pem"), path("key.pem")));
  ASSERT_TRUE(apart) << apart.error().front().text();
  EXPECT_EQ(apart->listeners.at(0).tls.value().certificates.at(0).key_path, path("key.pem"));
  EXPECT_EQ(apart->listeners[0].tls->pems.size(), 1u);
  EXPECT_TRUE(apart->warnings.empty());
}

TEST_F(CommandLineCertificates, AreMadeOnceForAllListenersWhereNoneIsNamed) {
  const auto config =
      configure({.from = {"https://127.0.0.1:1", "https://127.0.0.1:2"}, .to = {"127.0.0.1:3"}});
  ASSERT_TRUE(config) << config.error().front().text();
  const Tls& one = config->listeners.at(0).tls.value();
  const Tls& other = config->listeners.at(1).tls.value();
  EXPECT_TRUE(one.self_signed && other.self_signed);
  EXPECT_EQ(one.pems.at(0).chain, other.pems.at(0).chain);
  EXPECT_THAT(config->warnings,
              ElementsAre("--from: warning: a self-signed certificate for localhost is for "
                          "development only, and browsers will warn; for real use name one with "
                          "--cert"));
}

TEST_F(CommandLineCertificates, AreLookedAt) {
  EXPECT_THAT(errors_of(line(path("none.pem"), "")),
              ElementsAre("--cert: error: certificate file '" + path("none.pem") +
                          "' does not exist; its path is taken from the working folder"));
  EXPECT_THAT(errors_of(line(path("chain.pem"), path("chain.pem"))),
              ElementsAre("--key: error: certificate file '" + path("chain.pem") +
                          "' holds no private key, only CERTIFICATE; name its file with --key"));
  EXPECT_THAT(
      errors_of(line(path("chain.pem"), path("other.pem"))),
      ElementsAre("--key: error: certificate file '" + path("other.pem") +
                  "' holds a key that does not belong to the certificate in '" + path("chain.pem") +
                  "', which is for localhost: name the key that it was made with"));
  EXPECT_THAT(errors_of(line(path("chain.pem"), "")),
              ElementsAre("--cert: error: certificate file '" + path("chain.pem") +
                          "' holds no private key, only CERTIFICATE; name its file with --key"));
  CommandLine plain = line(path("both.pem"), "");
  plain.from = {"http://:80"};
  EXPECT_THAT(errors_of(plain),
              ElementsAre("--cert: error: is for https: add --from https://:8443"));
}

}  // namespace
}  // namespace gateway::config
