// What names stand for, from one answer to the next; and what is wrong with [resolver].
#include "gateway/config/resolver.hh"

#include <gtest/gtest.h>

#include "tests/gateway/config/text.hh"

namespace {

using namespace gateway::config;

Target target(const std::string& host, std::initializer_list<const char*> addresses) {
  Target target{.host = host};
  for (const char* const address : addresses)
    target.addresses.push_back(*literal_address({address, 1}));
  return target;
}

Found found(std::initializer_list<const char*> addresses) {
  return {{target("app", addresses)}};
}

std::vector<std::string> texts(const Found& found) {
  std::vector<std::string> texts;
  for (const Target& target : found.targets) {
    for (const Address& address : target.addresses) {
      const std::string text = address.text();
      texts.push_back(text.substr(0, text.rfind(':')));
    }
  }
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Found, KeepsItsOrderWhileAnswersChangeTheirs) {
  const Found merged = merge(found({"10.0.0.1", "10.0.0.2"}), found({"10.0.0.2", "10.0.0.1"}));
  EXPECT_EQ(texts(merged), (Texts{"10.0.0.1", "10.0.0.2"}));
}

TEST(Found, GainsWhatIsNewBehindAndLosesWhatIsGone) {
  const Found merged = merge(found({"10.0.0.1", "10.0.0.2"}), found({"10.0.0.3", "10.0.0.2"}));
  EXPECT_EQ(texts(merged), (Texts{"10.0.0.2", "10.0.0.3"}));
}

TEST(Found, HasEachAddressOnce) {
  EXPECT_EQ(texts(merge({}, found({"10.0.0.1", "10.0.0.1"}))), Texts{"10.0.0.1"});
}

TEST(Found, KeepsTheAddressesOfAFamilyThatNobodyKnowsOf) {
  Found now = found({"10.0.0.2"});
  now.targets[0].ipv6_unknown = true;
  EXPECT_EQ(texts(merge(found({"10.0.0.1", "::1"}), now)), (Texts{"[::1]", "10.0.0.2"}));
  now.targets[0].ipv6_unknown = false;
  EXPECT_EQ(texts(merge(found({"10.0.0.1", "::1"}), now)), Texts{"10.0.0.2"}) << "there is none";
}

TEST(Found, KeepsTheAddressesOfAServiceThatNobodyKnowsOf) {
  const Found before{{target("a", {"10.0.0.1"}), target("b", {"10.0.0.2"})}};
  Target unknown{.host = "b", .ipv4_unknown = true, .ipv6_unknown = true};
  Target never_known{.host = "c", .ipv4_unknown = true, .ipv6_unknown = true};
  const Found now{{never_known, unknown, target("a", {"10.0.0.3"})}};
  EXPECT_EQ(texts(merge(before, now)), (Texts{"10.0.0.3", "10.0.0.2"}));
}

TEST(Found, MeansTheSameInAnyOrder) {
  const Found one{{target("a", {"10.0.0.1", "10.0.0.2"}), target("b", {"10.0.0.3"})}};
  const Found other{{target("b", {"10.0.0.3"}), target("a", {"10.0.0.2", "10.0.0.1"})},
                    std::chrono::seconds(9)};
  EXPECT_TRUE(means_the_same(one, other));
  Found heavier = one;
  heavier.targets[0].weight = 2;
  EXPECT_FALSE(means_the_same(one, heavier));
  Found later = one;
  later.targets[0].priority = 2;
  EXPECT_FALSE(means_the_same(one, later));
  EXPECT_FALSE(means_the_same(one, {{one.targets[0]}}));
}

TEST(Resolve, AsksTheSystemUnlessThereAreServersToAsk) {
  const Resolve resolve(
      [](const HostPort&) { return Resolve::Addresses(std::unexpected("system")); },
      [](const Question&, const ResolverSettings&) {
        return std::expected<Found, std::string>(std::unexpected("dns"));
      });
  ResolverSettings settings;
  EXPECT_EQ(resolve({"app"}, settings).error(), "system");
  EXPECT_EQ(resolve({"_app._tcp.test", true}, settings).error(), "dns");
  settings.servers.push_back(*literal_address({"10.0.0.2", 53}));
  EXPECT_EQ(resolve({"app"}, settings).error(), "dns");
  EXPECT_EQ(resolve({"localhost"}, settings).error(), "system") << "this machine";
}

TEST(ResolverErrors, NamesOfServicesAndNameServersAreTold) {
  const std::string service =
      "' must be the name of a service (SRV), such as \"srv:_app._tcp.example.com\"";
  const std::string server =
      "' must be the IP address of a name server, such as \"10.0.0.2\" or \"[2001:db8::2]:5353\"";
  expect_each({
      {"no service", pool("servers = \"srv:app.test\""), "2:11: error: 'srv:app.test" + service},
      {"empty label", pool("servers = \"srv:_app._tcp..test\""),
       "2:11: error: 'srv:_app._tcp..test" + service},
      {"odd label", pool("servers = \"srv:_app._tcp.a b\""),
       "2:11: error: 'srv:_app._tcp.a b" + service},
      {"nobody to ask", pool("servers = \"srv:_app._tcp.test\""),
       "2:11: error: '_app._tcp.test' cannot be resolved: there is nobody to ask for services"},
      {"resolve", pool("servers = { address = \"known.test:1\", resolve = \"all\" }"),
       "2:49: error: 'resolve' must be one of each, one, not 'all'"},
      {"a name", table("[resolver]\nservers = [\"dns.test\", \"10.0.0.2:0\"]"),
       "2:12: error: 'dns.test" + server, "2:24: error: '10.0.0.2:0" + server},
      {"twice", table("[resolver]\nservers = [\"10.0.0.2\", \"10.0.0.2:53\"]"),
       "2:24: error: '10.0.0.2:53' is among 'servers' already"},
      {"too many",
       table("[resolver]\nservers = [\"10.0.0.1\", \"10.0.0.2\", \"10.0.0.3\", "
             "\"10.0.0.4\", \"10.0.0.5\"]"),
       "2:11: error: 'servers' must be 4 at the most, not 5"},
      {"bounds the wrong way round", table("[resolver]\nttl_min = \"2m\"\nttl_max = \"1m\""),
       "3:11: error: 'ttl_max' must be no less than 'ttl_min', 2m, not 1m"},
  });
}

}  // namespace
