// What becomes of a request, by its head alone.
#include "gateway/exchange/judge.hh"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/gateway/config/text.hh"

namespace gateway {
namespace {

constexpr std::string_view kConfig = R"(
[[listen]]
address = "127.0.0.1:8080"
[pool.app]
servers = ["127.0.0.1:9001"]
[limits]
body = "100B"
[[route]]
name = "app"
pool = "app"
[[route]]
name = "exec"
path = "/exec"
pool = "app"
upgrades = ["tcp", "SPDY/3.1"]
[[route]]
name = "gets"
path = "/gets"
pool = "app"
methods = ["GET", "TRACE"]
[[route]]
name = "strict"
path = "/strict"
pool = "app"
escaped_slashes = "refuse"
[[route]]
name = "strips"
path = "/strips"
pool = "app"
strip_prefix = true
[[route]]
name = "large"
path = "/large"
pool = "app"
body_max = "1KiB"
[[route]]
name = "guarded"
path = "/guarded"
pool = "app"
[route.websocket]
origins = ["https://a.example", "https://*.b.example", "null"]
subprotocols = ["chat", "v2.chat"]
[[route]]
name = "programs"
path = "/programs"
pool = "app"
websocket = { origins = ["https://a.example", "none"] }
[[route]]
name = "hello"
path = "/hello"
answer = { status = 200, body = "hello" }
[[route]]
name = "moved"
path = "/moved"
redirect = { status = 301, to = "https://{authority}{target}" }
)";

// How its client has come.
enum class Way { kPlain, kTls, kTrusted, kRedirected };

// What was judged, in words: "route verdict", with what a verdict says of its own.
struct InWords {
  std::string operator()(const Judged::Refusal& refusal) const {
    const End end{.reason = refusal.reason, .status = refusal.status};
    std::string words = "refused " + std::to_string(status_of(end));
    if (!refusal.said.empty()) words.append(": ").append(refusal.said);
    return words;
  }
  std::string operator()(const Judged::Redirect& redirect) const {
    return std::to_string(redirect.status) + " " + redirect.location;
  }
  std::string operator()(const Judged::Answer& answer) const {
    return "answer " + answer.answer.body;
  }
  std::string operator()(const Judged::LastHop&) const { return "last hop"; }
  std::string operator()(const Judged::Proxy&) const { return "proxy"; }
  std::string operator()(const Judged::Tunnel& tunnel) const {
    return "tunnel " + std::string(tunnel.key);
  }
  std::string operator()(const Judged::Opaque& opaque) const {
    return "opaque " + std::string(opaque.protocol);
  }
};

class Bench {
 public:
  explicit Bench(std::string_view toml = kConfig) {
    auto read = config::read(toml);
    EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().front().text());
    if (read) config_ = std::move(*read);
  }

  // "ROUTE VERDICT TARGET", the target of what goes to a server.
  std::string judge(std::string_view head_text, Way way = Way::kPlain,
                    config::Listener listener = {}, std::string_view server_name = {},
                    bool has_shown_less = false, bool had_other_names = false) {
    http::RequestHead head;
    const auto state = http::RequestParser(head).parse(proto::as_bytes(head_text));
    EXPECT_TRUE(state && *state == http::HeadState::kComplete) << head_text;
    if (way == Way::kRedirected) listener.redirect_port = 8443;
    std::pmr::string target;
    std::string scratch;
    const Judged judged = gateway::judge({.head = head,
                                          .buffer = proto::as_bytes(head_text),
                                          .listener = listener,
                                          .secure = way == Way::kTls,
                                          .peer_trusted = way == Way::kTrusted,
                                          .server_name = server_name,
                                          .has_shown_less = has_shown_less,
                                          .had_other_names = had_other_names},
                                         config_, target, scratch);
    std::string words = judged.route != nullptr ? judged.route->name : "-";
    words += " " + std::visit(InWords{}, judged.verdict);
    const bool goes_on = std::holds_alternative<Judged::Proxy>(judged.verdict) ||
                         std::holds_alternative<Judged::Tunnel>(judged.verdict) ||
                         std::holds_alternative<Judged::Opaque>(judged.verdict);
    if (goes_on) words.append(" ").append(target);
    return words;
  }

 private:
  config::Config config_;
};

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
config::Listener listener_with_policies() {
  const auto asks = [](const char* ca, bool required, bool tells = false, unsigned depth = 2) {
    return config::ClientCertificates{
        .ca_path = "/ca.pem",
        .check = {.ca = ca, .required = required, .tells = tells, .depth = depth}};
  };
  config::Listener listener;
  config::Tls& tls = listener.tls.emplace();
  const std::pair<const char*, std::optional<config::ClientCertificates>> policies[] = {
      {"required.test", asks("one", true)},   {"optional.test", asks("one", false)},
      {"told.test", asks("one", true, true)}, {"other.test", asks("two", true)},
      {"*.deep.test", asks("one", true)},     {"near.test", asks("one", true, false, 1)},
  };
  for (const auto& [name, clients] : policies) {
    tls.policies.push_back({.names = {name}, .clients = clients});
    tls.policy_names.add(name, tls.policies.size());
  }
  return listener;
}

TEST(Judge, LetsNobodyRoundWhatAHostAsksOfItsClients) {
  const config::Listener listener = listener_with_policies();
  const struct {
    const char* server_name;
    const char* host;
    bool served;
  } cases[] = {
      {"", "open.test", true},
      {"", "required.test", false},
      {"", "Required.Test.:8443", false},
      {"", "optional.test", false},
      {"", "a.deep.test", false},
      {"", "a.b.deep.test", false},
      {"", "deep.test", true},
      {"open.test", "required.test", false},
      {"required.test", "required.test", true},
      {"REQUIRED.test", "required.test:1", true},
      {"required.test", "optional.test", true},
      {"optional.test", "required.test", false},
      {"required.test", "told.test", false},
      {"told.test", "required.test", true},
      {"required.test", "other.test", false},
      {"other.test", "required.test", false},
      {"x.deep.test", "required.test", true},
      {"x.deep.test", "a.b.deep.test", true},
      {"required.test", "near.test", false},
      {"near.test", "required.test", true},
      {"required.test", "open.test", true},
      {"required.test", "192.0.2.7", true},
  };
  for (const auto& each : cases) {
    for (const bool is_absolute : {false, true}) {
      const std::string host = each.host;
      const std::string head =
          is_absolute ? "GET https://" + host + "/ HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
                      : "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
      EXPECT_EQ(Bench().judge(head, Way::kTls, listener, each.server_name),
                each.served ? "app proxy /" : "- refused 421")
          << each.server_name << " " << head;
    }
  }
}

// A reload may have brought its name's terms up to those of others; it has shown no more since.
TEST(Judge, LetsNobodyRoundWhatHisOwnNameAsksByNow) {
  const auto verdict = [](const config::Listener& listener, const std::string& host) {
    return Bench().judge("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", Way::kTls, listener,
                         "required.test", true);
  };
  const config::Listener listener = listener_with_policies();
  EXPECT_EQ(verdict(listener, "required.test"), "app proxy /");
  EXPECT_EQ(verdict(listener, "open.test"), "app proxy /");
  EXPECT_EQ(verdict(listener, "optional.test"), "- refused 421");
  config::Listener for_all = listener;
  for_all.tls->policies.clear();
  for_all.tls->policy_names = {};
  for_all.tls->clients = listener.tls->clients_for("required.test");
  EXPECT_EQ(verdict(for_all, "required.test"), "app proxy /");
  // Who has named none has that of the listener.
  EXPECT_EQ(
      Bench().judge("GET / HTTP/1.1\r\nHost: 192.0.2.7\r\n\r\n", Way::kTls, for_all, "", true),
      "app proxy /");
  EXPECT_EQ(
      Bench().judge("GET / HTTP/1.1\r\nHost: optional.test\r\n\r\n", Way::kTls, listener, "", true),
      "- refused 421");
  // What had a name's own terms before is not reached by who never was asked for them.
  EXPECT_EQ(Bench().judge("GET / HTTP/1.1\r\nHost: optional.test\r\n\r\n", Way::kTls, for_all, "",
                          true, true),
            "- refused 421");
  EXPECT_EQ(verdict(for_all, "optional.test"), "- refused 421");
}

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
