// Heads made of chance: whatever is accepted is passed on as a head that reads the same, with one
// framing, nothing for one hop, and nothing of the client's own about where it comes from.
#include <array>

#include "tests/gateway/rewrite/heads.hh"
#include "tests/uring/dice.hh"

namespace {

using namespace std::string_view_literals;

constexpr std::array kMethods = {"GET"sv, "POST"sv, "HEAD"sv, "OPTIONS"sv, "DELETE"sv, "X-Y"sv};
constexpr std::array kTargets = {
    "/"sv, "/a/../b?c=%2F"sv, "*"sv, "http://a.test"sv, "http://b.test:81/x?y"sv, "//x"sv, "/?"sv};
constexpr std::array kLines = {"Content-Length: 5"sv,
                               "Transfer-Encoding: chunked"sv,
                               "Transfer-Encoding:\tChunked"sv,
                               "Connection: close"sv,
                               "Connection: content-length, X-A"sv,
                               "Connection: host"sv,
                               "Connection: transfer-encoding, via"sv,
                               "X-A: 1"sv,
                               "x-a:  two words "sv,
                               "TE: trailers"sv,
                               "Upgrade: h2c"sv,
                               "X-Forwarded-For: 10.0.0.1"sv,
                               "Forwarded: for=10.0.0.1"sv,
                               "X_Forwarded_For: 10.0.0.1"sv,
                               "X-Forwarded-Prefix: 10.0.0.1"sv,
                               "Content_Length: 7"sv,
                               "Transfer_Encoding: chunked"sv,
                               "Proxy-Connection: keep-alive"sv,
                               "Keep-Alive: 5"sv,
                               "Expect: 100-continue"sv,
                               "Max-Forwards: 3"sv,
                               "Via: 1.0 somebody"sv,
                               "Cookie: a=b; c=\"d\""sv,
                               "X-Obs: \xff\xfe"sv,
                               "Empty:"sv,
                               "Trailer: X-T"sv,
                               "Proxy: 10.0.0.1"sv};

template <class List>
std::string_view any_of(Dice& dice, const List& list) {
  return list[dice.between(0, list.size() - 1)];
}

std::string random_head(Dice& dice) {
  std::string text(any_of(dice, kMethods));
  text.append(" ").append(any_of(dice, kTargets)).append(" HTTP/1.1\r\nHost: a.test\r\n");
  for (std::size_t lines = dice.between(0, 8); lines > 0; --lines) {
    text.append(any_of(dice, kLines)).append("\r\n");
  }
  return text.append("\r\n");
}

void check_forwarded(const http::RequestHead& request, std::string_view text, bool trusted) {
  const proto::Bytes buffer = proto::as_bytes(text);
  std::pmr::string target;
  ASSERT_TRUE(gateway::resolve_target(target, request, buffer));
  std::string forwarded;
  gateway::forward_request(forwarded, request, buffer,
                           {.peer_address = "192.0.2.7",
                            .listener_port = 8080,
                            .secure = false,
                            .peer_trusted = trusted,
                            .via = "gw",
                            .target = target,
                            .changes = forward_test::kNoChanges,
                            .websocket = nullptr});
  SCOPED_TRACE(testing::Message() << text << "became\n" << forwarded);
  const proto::Bytes passed = proto::as_bytes(forwarded);
  const http::RequestHead again = forward_test::parse_request(forwarded);
  EXPECT_EQ(again.bytes, forwarded.size());
  EXPECT_EQ(again.method_text.in(passed), request.method_text.in(buffer));
  EXPECT_EQ(forwarded.find("/../"), std::string::npos);
  EXPECT_EQ(again.authority.in(passed), request.authority.in(buffer));
  EXPECT_EQ(http::request_framing(again), http::request_framing(request));
  for (const std::string_view name : {"Keep-Alive", "Proxy-Connection", "Upgrade", "Proxy"}) {
    EXPECT_FALSE(again.fields.contains(passed, name)) << name;
  }
  const bool takes_trailers = request.fields.contains(buffer, "TE");
  EXPECT_EQ(again.fields.find(passed, "TE").value_or(""), takes_trailers ? "trailers" : "");
  EXPECT_EQ(again.fields.find(passed, "Connection").value_or(""), takes_trailers ? "TE" : "");
  const bool announces = request.chunked && request.fields.contains(buffer, "Trailer");
  EXPECT_EQ(again.fields.find(passed, "Trailer").has_value(), announces);
  EXPECT_EQ(again.fields.count(passed, "Host"), 1u);
  EXPECT_EQ(again.fields.count(passed, "X-Forwarded-For"), 1u);
  if (!trusted) {
    EXPECT_EQ(forwarded.find("10.0.0.1"), std::string::npos);
  }
}

TEST(ForwardRequest, PassesOnOnlyWhatReadsTheSame) {
  std::size_t accepted = 0;
  for_each_seed(20'000, [&](std::uint64_t seed) {
    Dice dice(seed);
    const std::string text = random_head(dice);
    http::RequestHead request;
    http::RequestParser parser(request);
    const auto state = parser.parse(proto::as_bytes(text));
    if (!state || *state != http::HeadState::kComplete) return;
    ++accepted;
    check_forwarded(request, text, dice.chance(50));
  });
  EXPECT_GT(accepted, 1'000u);
}

}  // namespace
