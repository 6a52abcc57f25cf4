// What becomes of a request, by its head alone.
#include <vector>

#include "tests/gateway/exchange/judge_bench.hh"

namespace gateway {
namespace {

using namespace judge_test;

struct Case {
  std::string_view start_line;
  std::string_view fields;
  std::string_view expected;
  Way way = Way::kPlain;
};

void expect_each(const std::vector<Case>& cases) {
  Bench bench;
  for (const Case& each : cases) {
    const std::string head = std::string(each.start_line) + " HTTP/1.1\r\nHost: a.example:81\r\n" +
                             std::string(each.fields) + "\r\n";
    EXPECT_EQ(bench.judge(head, each.way), each.expected) << head;
  }
}

TEST(Judge, FindsTheRouteByThePathAsItIsMeant) {
  expect_each({
      {"GET /", "", "app proxy /"},
      {"GET /x/../gets?q", "", "gets proxy /gets?q"},
      {"GET //gets/%2e/a", "", "gets proxy //gets/a"},
      {"GET /strips/a?b", "", "strips proxy /a?b"},
      {"GET /strips", "", "strips proxy /"},
      {"GET /strips?b", "", "strips proxy /?b"},
      {"GET /a%2Fb", "", "app proxy /a%2Fb"},
      {"GET /strict/a%2Fb", "", "strict refused 400"},
      {"GET /a%00", "", "- refused 400"},
      {"OPTIONS *", "", "app proxy /"},
      {"CONNECT a.example:81", "", "- refused 405"},
  });
}

TEST(Judge, AnswersNotFoundWhereNoRouteMatches) {
  Bench bench(
      "[[listen]]\naddress = \"127.0.0.1:8080\"\n[pool.app]\nservers = [\"127.0.0.1:9001\"]\n"
      "[[route]]\nhost = [\"only.example\"]\npool = \"app\"\n");
  EXPECT_EQ(bench.judge("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), "- refused 404");
  EXPECT_EQ(bench.judge("GET / HTTP/1.0\r\n\r\n"), "- refused 404");
  EXPECT_EQ(bench.judge("GET / HTTP/1.1\r\nHost: ONLY.example.:1\r\n\r\n"), "route-1 proxy /");
}

TEST(Judge, LetsPassTheMethodsOfTheRouteAndTraceOnlyWhereItIsListed) {
  expect_each({
      {"PATCH /", "", "app proxy /"},
      {"BREW /", "", "app proxy /"},
      {"TRACE /", "", "app refused 405"},
      {"TRACE /gets", "", "gets proxy /gets"},
      {"POST /gets", "", "gets refused 405"},
      {"TRACE /", "", "- refused 405", Way::kRedirected},
  });
}

TEST(Judge, LetsPassTheUpgradesOfTheRouteAlone) {
  constexpr std::string_view kExec = "POST /exec";
  expect_each({
      {kExec, "Upgrade: tcp\r\nConnection: Upgrade\r\n", "exec opaque tcp /exec"},
      {kExec, "Upgrade: TCP\r\nConnection: upgrade\r\n", "exec opaque TCP /exec"},
      {kExec, "Upgrade: spdy/3.1\r\nConnection: x, Upgrade\r\n", "exec opaque spdy/3.1 /exec"},
      {kExec, "Upgrade: foo, SPDY/3.1, tcp\r\nConnection: Upgrade\r\n",
       "exec opaque SPDY/3.1 /exec"},
      {kExec, "Upgrade: foo\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n", "exec opaque tcp /exec"},
      {kExec, "Upgrade: tcp\r\nConnection: Upgrade\r\nContent-Length: 0\r\n",
       "exec opaque tcp /exec"},
      {kExec, "Upgrade: tcp\r\nConnection: Upgrade\r\nContent-Length: 1\r\n", "exec refused 400"},
      {kExec, "Upgrade: tcp\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked\r\n",
       "exec refused 400"},
      // Another version is another protocol, and nobody has asked.
      {kExec, "Upgrade: SPDY\r\nConnection: Upgrade\r\n", "exec proxy /exec"},
      {kExec, "Upgrade: SPDY/3\r\nConnection: Upgrade\r\n", "exec proxy /exec"},
      {kExec, "Upgrade: h2c\r\nConnection: Upgrade\r\n", "exec proxy /exec"},
      {kExec, "Upgrade: tcp\r\n", "exec proxy /exec"},
      {"POST /", "Upgrade: tcp\r\nConnection: Upgrade\r\n", "app proxy /"},
  });
  EXPECT_EQ(Bench().judge("POST /exec HTTP/1.0\r\nHost: a.example\r\nUpgrade: tcp\r\n"
                          "Connection: Upgrade\r\n\r\n"),
            "exec proxy /exec");
}

TEST(Judge, RefusesWhatCannotBeServedHere) {
  constexpr std::string_view kTls = "GET https://a.example/";
  expect_each({
      {kTls, "", "app refused 421"},
      {kTls, "", "app proxy /", Way::kTls},
      {kTls, "", "app proxy /", Way::kTrusted},
      {"GET http://a.example/", "", "app proxy /"},
      {"GET /", "Expect: 100-Continue\r\n", "app proxy /"},
      {"GET /", "Expect: 200-ok\r\n", "app refused 417"},
      {"TRACE /gets", "Content-Length: 1\r\n", "gets refused 400"},
      {"POST /", "Content-Length: 100\r\n", "app proxy /"},
      {"POST /", "Content-Length: 101\r\n", "app refused 413"},
      {"POST /", "Transfer-Encoding: chunked\r\n", "app proxy /"},
      {"POST /large", "Content-Length: 1024\r\n", "large proxy /large"},
      {"POST /large", "Content-Length: 1025\r\n", "large refused 413"},
  });
}

// Names with other terms for their clients than others, at one listener.
TEST(Judge, TakesAnExpectationOfHttp10ForNothing) {
  EXPECT_EQ(Bench().judge("GET / HTTP/1.0\r\nExpect: 200-ok\r\n\r\n"), "app proxy /");
}

TEST(Judge, TellsAWebSocketFromARequest) {
  const std::string upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  const std::string whole = upgrade + key + version;
  const std::string with_body = whole + "Content-Length: 1\r\n";
  const std::string with_empty_body = whole + "Content-Length: 0\r\n";
  const std::string no_version = upgrade + key;
  const std::string old_version = upgrade + key + "Sec-WebSocket-Version: 8\r\n";
  const std::string no_key = upgrade + version;
  expect_each({
      {"GET /x", whole, "app tunnel dGhlIHNhbXBsZSBub25jZQ== /x"},
      {"GET /x", with_empty_body, "app tunnel dGhlIHNhbXBsZSBub25jZQ== /x"},
      {"GET /x", with_body, "app refused 400"},
      {"GET /x", no_version, "app refused 400"},
      {"GET /x", old_version, "app refused 426"},
      {"GET /x", no_key, "app refused 400"},
      {"GET /x", "Upgrade: h2c\r\nConnection: Upgrade\r\n", "app proxy /x"},
      {"GET /x", "Upgrade: websocket\r\n", "app proxy /x"},
  });
}

constexpr std::string_view kHandshake =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

TEST(Judge, LetsOnlyPagesOfTheRoutesOriginsOpenWebSockets) {
  struct Visit {
    std::string_view fields;
    std::string_view guarded;   // refused like this; empty: let in
    std::string_view programs;  // likewise
  };
  const Visit visits[] = {
      {"Origin: https://a.example\r\n", "", ""},
      {"origin: HTTPS://A.example:443\r\n", "", ""},
      {"Origin: https://x.y.b.example\r\n", "", "403: https://x.y.b.example"},
      {"Origin: null\r\n", "", "403: null"},
      {"", "403", ""},
      {"Origin:\r\n", "403", "403"},
      {"Origin: https://b.example\r\n", "403: https://b.example", "403: https://b.example"},
      {"Origin: http://a.example\r\n", "403: http://a.example", "403: http://a.example"},
      {"Origin: https://a.example\r\nOrigin: https://a.example\r\n", "403: https://a.example",
       "403: https://a.example"},
      {"Origin: https://a.example https://a.example\r\n",
       "403: https://a.example https://a.example", "403: https://a.example https://a.example"},
  };
  Bench bench;
  for (const Visit& visit : visits) {
    for (const bool guarded : {true, false}) {
      const std::string name = guarded ? "guarded" : "programs";
      const std::string_view refusal = guarded ? visit.guarded : visit.programs;
      const std::string expected =
          name + (refusal.empty() ? " tunnel dGhlIHNhbXBsZSBub25jZQ== /" + name
                                  : " refused " + std::string(refusal));
      EXPECT_EQ(bench.judge("GET /" + name + " HTTP/1.1\r\nHost: a\r\n" + std::string(kHandshake) +
                            std::string(visit.fields) + "\r\n"),
                expected)
          << visit.fields;
    }
  }
  expect_each({
      {"GET /guarded", "Origin: https://evil.example\r\n", "guarded proxy /guarded"},
      {"GET /guarded", "Origin: https://evil.example\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n",
       "guarded proxy /guarded"},
  });
}

TEST(Judge, LetsAClientInWithOneOfTheRoutesSubprotocolsOrNone) {
  struct Visit {
    std::string_view fields;
    std::string_view refused;  // empty: let in
  };
  const Visit visits[] = {
      {"", ""},
      {"Sec-WebSocket-Protocol:\r\n", ""},
      {"Sec-WebSocket-Protocol: ,\r\n", ""},
      {"Sec-WebSocket-Protocol: chat\r\n", ""},
      {"Sec-WebSocket-Protocol: mqtt, v2.chat\r\n", ""},
      {"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Protocol: chat\r\n", ""},
      {"Sec-WebSocket-Protocol: mqtt\r\n", "mqtt"},
      {"Sec-WebSocket-Protocol: Chat, mqtt\r\n", "Chat, mqtt"},
  };
  Bench bench;
  for (const Visit& visit : visits) {
    const std::string expected = visit.refused.empty()
                                     ? "guarded tunnel dGhlIHNhbXBsZSBub25jZQ== /guarded"
                                     : "guarded refused 403: " + std::string(visit.refused);
    EXPECT_EQ(bench.judge("GET /guarded HTTP/1.1\r\nHost: a\r\nOrigin: null\r\n" +
                          std::string(kHandshake) + std::string(visit.fields) + "\r\n"),
              expected);
  }
}

TEST(Judge, AsksNobodyForAnOriginWhoGetsAnAnswerOfTheGateway) {
  Bench bench(
      "[[listen]]\naddress = \"127.0.0.1:8080\"\n[defaults.websocket]\norigins = \"null\"\n"
      "[[route]]\nanswer = { body = \"hello\" }\n");
  EXPECT_EQ(bench.judge("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(kHandshake) + "\r\n"),
            "route-1 answer hello");
}

TEST(Judge, AnswersWithoutAServerWhereTheRouteDoes) {
  expect_each({
      {"GET /hello/x", "", "hello answer hello"},
      {"POST /hello", "Content-Length: 101\r\n", "hello refused 413"},
      {"GET /moved/a?b", "", "moved 301 https://a.example:81/moved/a?b"},
      {"GET /moved/a?b", "Max-Forwards: 0\r\n", "moved 301 https://a.example:81/moved/a?b"},
  });
}

TEST(Judge, LetsOptionsAndTraceGoAsFarAsTheySay) {
  expect_each({
      {"OPTIONS /", "Max-Forwards: 0\r\n", "app last hop"},
      {"TRACE /gets", "Max-Forwards: 0\r\n", "gets last hop"},
      {"OPTIONS /", "Max-Forwards: 1\r\n", "app proxy /"},
      {"GET /", "Max-Forwards: 0\r\n", "app proxy /"},
  });
}

TEST(Judge, SendsToHttpsWhoeverComesThroughAListenerThatDoesSo) {
  expect_each({
      {"GET /hello?a", "", "- 308 https://a.example:8443/hello?a", Way::kRedirected},
      {"GET /a/../b", "", "- 308 https://a.example:8443/b", Way::kRedirected},
  });
  EXPECT_EQ(Bench().judge("GET / HTTP/1.0\r\n\r\n", Way::kRedirected), "- refused 400");
}

}  // namespace
}  // namespace gateway
