// Which origins are taken from the file, and which requests are let in by them.
#include "gateway/config/origins.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gateway::config {
namespace {

using testing::ElementsAre;

Origins origins_of(const std::vector<std::string_view>& texts) {
  Origins origins;
  for (const std::string_view text : texts) {
    const auto fault = origins.add(text);
    EXPECT_FALSE(fault) << text << " " << *fault;
  }
  return origins;
}

struct Visit {
  std::string_view origin;
  bool let_in;
};

void expect_each(const Origins& origins, const std::vector<Visit>& visits) {
  for (const Visit& visit : visits) {
    EXPECT_EQ(origins.contain(visit.origin), visit.let_in) << visit.origin;
  }
}

TEST(Origins, AreComparedByTheirThreeParts) {
  expect_each(origins_of({"https://chat.example.com"}),
              {{"https://chat.example.com", true},
               {"HTTPS://Chat.Example.COM", true},
               {"https://chat.example.com:443", true},
               {"http://chat.example.com", false},
               {"http://chat.example.com:443", false},
               {"https://chat.example.com:8443", false},
               {"https://example.com", false},
               {"https://a.chat.example.com", false},
               {"https://chat.example.com.evil.test", false},
               {"https://evil-chat.example.com", false},
               {"https://chatxexample.com", false},
               {"https://chat.example.co", false},
               {"wss://chat.example.com", false}});
  expect_each(origins_of({"http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"}),
              {{"http://localhost:3000", true},
               {"http://localhost", false},
               {"http://127.0.0.1", true},
               {"http://127.0.0.1:80", true},
               {"http://127.0.0.1.nip.test", false},
               {"https://[::1]:8443", true},
               {"https://[::1]", false}});
}

TEST(Origins, OfSubdomainsAreAllBelowAndNotItself) {
  expect_each(origins_of({"https://*.example.com", "http://*.test:8080"}),
              {{"https://chat.example.com", true},
               {"https://a.b.example.com", true},
               {"https://A.B.EXAMPLE.com:443", true},
               {"https://example.com", false},
               {"https://.example.com", false},
               {"https://evilexample.com", false},
               {"https://example.com.evil.test", false},
               {"https://chat.example.com:8443", false},
               {"http://chat.example.com", false},
               {"http://a.test:8080", true},
               {"http://a.test", false},
               {"https://*.example.com", false}});
}

TEST(Origins, OfOtherSchemesHaveNoPortOfTheirOwn) {
  expect_each(
      origins_of({"chrome-extension://abcdefghijklmnop", "capacitor://localhost", "file://"}),
      {{"chrome-extension://abcdefghijklmnop", true},
       {"chrome-extension://abcdefghijklmnoq", false},
       {"capacitor://localhost", true},
       {"capacitor://localhost:80", false},
       {"file://", true},
       {"file://localhost", false},
       {"https://", false}});
}

TEST(Origins, ThatAreMalformedAreNone) {
  const Origins origins = origins_of({"https://a.test", "http://*.b.test", "file://", "none"});
  for (const std::string_view origin : {"",
                                        " ",
                                        "https://a.test ",
                                        "https://a.test/",
                                        "https://a.test/x",
                                        "https://a.test?x",
                                        "https://a.test#x",
                                        "https://a.test:",
                                        "https://a.test:0",
                                        "https://a.test:65979",
                                        "https://a.test:443x",
                                        "https://a.test:+443",
                                        "https://x@a.test",
                                        "https://a.test:x@a.test",
                                        "https://evil.test@a.test",
                                        "https://evil.test https://a.test",
                                        "https://a.test https://a.test",
                                        "https://a.test,https://a.test",
                                        "https:/a.test",
                                        "https:a.test",
                                        "//a.test",
                                        "://a.test",
                                        "a.test",
                                        "https://a.test.",
                                        "https://a..test",
                                        "https://[a.test]",
                                        "https://a.test\\.evil.test",
                                        "http://evil.test/.b.test",
                                        "http://evil.test\\.b.test",
                                        "http://evil.test#.b.test",
                                        "http://evil.test%00.b.test",
                                        "http://..b.test",
                                        "http://.b.test",
                                        "1https://a.test",
                                        "null",
                                        "NULL",
                                        "none",
                                        "file:///",
                                        "file://?",
                                        "https://a.test\x80",
                                        "*"}) {
    EXPECT_FALSE(origins.contain(origin)) << origin;
  }
  EXPECT_FALSE(origins.contain(std::string_view("https://a.test\0", 15)));
}

TEST(Origins, ThatAreNoneAreLetInOnlyByName) {
  EXPECT_TRUE(origins_of({"null"}).contain("null"));
  EXPECT_FALSE(origins_of({"null"}).contain("Null"));
  EXPECT_FALSE(origins_of({"null"}).contain(std::nullopt));
  EXPECT_TRUE(origins_of({"none"}).contain(std::nullopt));
  EXPECT_FALSE(origins_of({"none"}).contain("null"));
  EXPECT_FALSE(origins_of({"none"}).contain("none"));
  EXPECT_FALSE(origins_of({"https://a.test"}).contain(std::nullopt));
  EXPECT_FALSE(origins_of({"null"}).empty());
  EXPECT_FALSE(origins_of({"none"}).empty());
  EXPECT_TRUE(Origins().empty());
}

TEST(Origins, ArePrintedInOneForm) {
  EXPECT_THAT(origins_of({"none", "HTTPS://A.test:443", "http://*.B.test:80", "http://c.test:443",
                          "https://*.d.test:8443", "app://e:1", "file://", "null"})
                  .texts(),
              ElementsAre("https://a.test", "http://*.b.test", "http://c.test:443",
                          "https://*.d.test:8443", "app://e:1", "file://", "null", "none"));
}

TEST(Origins, TellWhatIsWrongWithAText) {
  const std::string form =
      "must be an origin as browsers send it, such as \"https://chat.example.com\" or "
      "\"https://*.example.com\", or \"null\" or \"none\"";
  const std::string star =
      "has a '*' where it means nothing: \"https://*.example.com\" stands for all hosts that end "
      "so";
  const std::string leads =
      "is where a WebSocket leads to: write the origin of the page that opens it, such as ";
  struct Case {
    std::string_view text;
    std::string fault;
  };
  const Case cases[] = {
      {"*", "is no origin: write origins = [] to let anybody in"},
      {"chat.example.com", "has no scheme: write \"https://chat.example.com\""},
      {"chat.example.com:8443", "has no scheme: write \"https://chat.example.com:8443\""},
      {"*.example.com", "has no scheme: write \"https://*.example.com\""},
      {"https://a.test/", "ends in a slash, which no origin has: write \"https://a.test\""},
      {"https://*.a.test/", "ends in a slash, which no origin has: write \"https://*.a.test\""},
      {"https://a.test:8443/chat",
       "has a path, which no origin has: write \"https://a.test:8443\""},
      {"https://a.test?x", "has a path, which no origin has: write \"https://a.test\""},
      {"https://me@a.test", "must not name a user"},
      {"https://*", star},
      {"https://*a.test", star},
      {"https://a.*.test", star},
      {"https://*.*.test", star},
      {"https://a.test:*", star},
      {"https://*.[::1]", star},
      {"file://*.", star},
      {"https://a.test.", "ends in a dot: leave it out"},
      {"wss://a.test", leads + "\"https://a.test\""},
      {"ws://*.a.test:8080", leads + "\"http://*.a.test:8080\""},
      {"https://", form},
      {"https:///", form},
      {"https://a test", form},
      {"https://b\xc3\xbc"
       "cher.test",
       form},
      {"https://a.test:99999", form},
      {"https:a.test", form},
      {"Null", form},
      {"any", form},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(Origins().add(each.text).value_or("nothing"), each.fault) << each.text;
  }
  Origins origins = origins_of({"https://a.test", "null", "none"});
  for (const std::string_view again : {"https://a.test", "HTTPS://A.test:443", "null", "none"}) {
    EXPECT_EQ(origins.add(again), "is given twice") << again;
  }
}

}  // namespace
}  // namespace gateway::config
