// The opening handshake: what is accepted, what is refused with which status, and the two keys.
#include "proto/ws/handshake.hh"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace {

using Kind = ws::RequestVerdict::Kind;
using Field = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 section 1.3
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

ws::HandshakeFields fields_of(const std::vector<Field>& list) {
  ws::HandshakeFields fields;
  for (const auto& [name, value] : list) fields.add(name, value);
  return fields;
}

const std::vector<Field> kGoodRequest = {{"Host", "example.com"},
                                         {"Upgrade", "websocket"},
                                         {"Connection", "Upgrade"},
                                         {"Sec-WebSocket-Key", kKey},
                                         {"Sec-WebSocket-Version", "13"}};

const std::vector<Field> kGoodResponse = {
    {"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", kAccept}};

// `list` with the fields called `name` replaced by one per value.
std::vector<Field> with(std::vector<Field> list, std::string_view name,
                        std::initializer_list<std::string_view> values) {
  std::erase_if(list, [&](const Field& field) { return field.first == name; });
  for (const std::string_view value : values) list.emplace_back(name, value);
  return list;
}

TEST(WsHandshake, AnswersTheKeyOfTheRfc) {
  EXPECT_EQ(ws::as_text(ws::accept_key(kKey)), kAccept);
}

TEST(WsHandshake, MakesAKeyOfSixteenBytes) {
  constexpr std::string_view kNonce = "the sample nonce";
  const auto nonce = proto::as_bytes(kNonce);
  const ws::Key key = ws::make_key(nonce.first<16>());
  EXPECT_EQ(ws::as_text(key), kKey);
}

TEST(WsHandshake, JudgesRequests) {
  struct Case {
    std::string name;
    std::vector<Field> fields;
    Kind kind;
    int status = 0;
    std::string_view method = "GET";
    bool http_1_1 = true;
  };
  const auto& good = kGoodRequest;
  std::string many;
  for (std::size_t count = 0; count < ws::kSubprotocolsMax; ++count) many += "p, ";
  const Case cases[] = {
      {"plain", good, Kind::kAccept},
      {"upgrade in another case", with(good, "Upgrade", {"WebSocket"}), Kind::kAccept},
      {"upgrade among others", with(good, "Upgrade", {"h2c, websocket"}), Kind::kAccept},
      {"upgrade on two lines", with(good, "Upgrade", {"h2c", "websocket"}), Kind::kAccept},
      {"connection among others", with(good, "Connection", {"keep-alive ,\tupgrade"}),
       Kind::kAccept},
      {"connection on two lines", with(good, "Connection", {"keep-alive", "Upgrade"}),
       Kind::kAccept},
      {"blanks around the key", with(good, "Sec-WebSocket-Key", {" dGhlIHNhbXBsZSBub25jZQ==\t"}),
       Kind::kAccept},
      {"no upgrade", with(good, "Upgrade", {}), Kind::kNotAsked},
      {"another upgrade", with(good, "Upgrade", {"h2c"}), Kind::kNotAsked},
      {"upgrade with a longer name", with(good, "Upgrade", {"websockets"}), Kind::kNotAsked},
      {"upgrade with a version", with(good, "Upgrade", {"websocket/13"}), Kind::kNotAsked},
      {"upgrade of empty elements", with(good, "Upgrade", {",, ,"}), Kind::kNotAsked},
      {"no connection", with(good, "Connection", {}), Kind::kNotAsked},
      {"connection without upgrade", with(good, "Connection", {"keep-alive"}), Kind::kNotAsked},
      {"HTTP/1.0", good, Kind::kNotAsked, 0, "GET", false},
      {"POST", good, Kind::kRefuse, 400, "POST"},
      {"method in lower case", good, Kind::kRefuse, 400, "get"},
      {"no version", with(good, "Sec-WebSocket-Version", {}), Kind::kRefuse, 400},
      {"two versions", with(good, "Sec-WebSocket-Version", {"13", "13"}), Kind::kRefuse, 400},
      {"version 8", with(good, "Sec-WebSocket-Version", {"8"}), Kind::kRefuse, 426},
      {"list of versions", with(good, "Sec-WebSocket-Version", {"13, 8"}), Kind::kRefuse, 426},
      {"version 013", with(good, "Sec-WebSocket-Version", {"013"}), Kind::kRefuse, 426},
      {"empty version", with(good, "Sec-WebSocket-Version", {""}), Kind::kRefuse, 426},
      {"no key", with(good, "Sec-WebSocket-Key", {}), Kind::kRefuse, 400},
      {"two keys", with(good, "Sec-WebSocket-Key", {kKey, kKey}), Kind::kRefuse, 400},
      {"empty key", with(good, "Sec-WebSocket-Key", {""}), Kind::kRefuse, 400},
      {"key of 13 bytes", with(good, "Sec-WebSocket-Key", {"SGVsbG8sIHdvcmxkIQ=="}), Kind::kRefuse,
       400},
      {"key of 17 bytes", with(good, "Sec-WebSocket-Key", {"dGhlIHNhbXBsZSBub25jZTE="}),
       Kind::kRefuse, 400},
      {"key of 18 bytes", with(good, "Sec-WebSocket-Key", {"dGhlIHNhbXBsZSBub25jZTEx"}),
       Kind::kRefuse, 400},
      {"key without padding", with(good, "Sec-WebSocket-Key", {"dGhlIHNhbXBsZSBub25jZQ"}),
       Kind::kRefuse, 400},
      {"key that is not base64", with(good, "Sec-WebSocket-Key", {"dGhlIHNhbXBsZSBub25j*Q=="}),
       Kind::kRefuse, 400},
      {"too many protocol lines", with(good, "Sec-WebSocket-Protocol", {"a", "b", "c", "d", "e"}),
       Kind::kRefuse, 400},
      {"too many extension lines",
       with(good, "Sec-WebSocket-Extensions", {"a", "b", "c", "d", "e"}), Kind::kRefuse, 400},
      {"as many subprotocols as may be", with(good, "Sec-WebSocket-Protocol", {many, ","}),
       Kind::kAccept},
      {"one subprotocol more", with(good, "Sec-WebSocket-Protocol", {many, "x"}), Kind::kRefuse,
       400},
      {"empty lists of offers",
       with(with(good, "Sec-WebSocket-Protocol", {"", " , ,"}), "Sec-WebSocket-Extensions", {","}),
       Kind::kAccept},
      {"extensions that are malformed", with(good, "Sec-WebSocket-Extensions", {"a, b;"}),
       Kind::kRefuse, 400},
      {"connection that names the key", with(good, "Connection", {"Upgrade, sec-websocket-KEY"}),
       Kind::kRefuse, 400},
      {"connection that names what resembles it",
       with(good, "Connection", {"Upgrade", "Sec_WebSocket.Extensions"}), Kind::kRefuse, 400},
      {"connection that names any such field",
       with(good, "Connection", {"Sec-WebSocket-X, Upgrade"}), Kind::kRefuse, 400},
      {"connection that names others",
       with(good, "Connection", {"Upgrade, Sec-WebSocket, X-Sec-WebSocket-Key"}), Kind::kAccept},
      {"too many connection lines", with(good, "Connection", {"Upgrade", "a", "b", "c", "d"}),
       Kind::kRefuse, 400},
  };
  for (const Case& c : cases) {
    const auto verdict = ws::judge_request(c.method, c.http_1_1, fields_of(c.fields));
    EXPECT_EQ(verdict.kind, c.kind) << c.name;
    EXPECT_EQ(verdict.status, c.status) << c.name;
    EXPECT_EQ(verdict.reason.empty(), c.kind != Kind::kRefuse) << c.name;
    EXPECT_EQ(verdict.key, c.kind == Kind::kAccept ? kKey : "") << c.name;
  }
}

TEST(WsHandshake, KnowsFieldNamesInAnyCase) {
  const auto fields = fields_of({{"UPGRADE", "websocket"},
                                 {"connection", "upgrade"},
                                 {"sec-websocket-key", kKey},
                                 {"SEC-WEBSOCKET-VERSION", "13"}});
  EXPECT_EQ(ws::judge_request("GET", true, fields).kind, Kind::kAccept);
}

TEST(WsHandshake, KeepsTheFirstLinesAndCountsAll) {
  const auto fields = fields_of(with({}, "Upgrade", {"a", "b", "c", "d", "e", "f"}));
  EXPECT_EQ(fields.upgrade.count, 6u);
  EXPECT_TRUE(fields.upgrade.too_many());
  ASSERT_EQ(fields.upgrade.kept().size(), 4u);
  EXPECT_EQ(fields.upgrade.kept()[3], "d");
}

TEST(WsHandshake, JudgesResponses) {
  struct Case {
    std::string name;
    std::vector<Field> response;
    bool accepted;
    int status = 101;
  };
  const auto& good = kGoodResponse;
  const std::vector<Field> request = {
      {"Sec-WebSocket-Protocol", "chat, superchat"},
      {"Sec-WebSocket-Protocol", "v3.chat"},
      {"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits, x-other"}};
  const Case cases[] = {
      {"plain", good, true},
      {"upgrade in another case", with(good, "Upgrade", {"WebSocket"}), true},
      {"connection among others", with(good, "Connection", {"keep-alive, Upgrade"}), true},
      {"protocol offered", with(good, "Sec-WebSocket-Protocol", {"superchat"}), true},
      {"protocol of the second line", with(good, "Sec-WebSocket-Protocol", {"v3.chat"}), true},
      {"extension offered",
       with(good, "Sec-WebSocket-Extensions", {"permessage-deflate; server_no_context_takeover"}),
       true},
      {"empty list of extensions", with(good, "Sec-WebSocket-Extensions", {""}), true},
      {"status 200", good, false, 200},
      {"status 100", good, false, 100},
      {"no upgrade", with(good, "Upgrade", {}), false},
      {"another upgrade", with(good, "Upgrade", {"h2c"}), false},
      {"two upgrades", with(good, "Upgrade", {"websocket, h2c"}), false},
      {"no connection", with(good, "Connection", {}), false},
      {"connection close", with(good, "Connection", {"close"}), false},
      {"no accept", with(good, "Sec-WebSocket-Accept", {}), false},
      {"two accepts", with(good, "Sec-WebSocket-Accept", {kAccept, kAccept}), false},
      {"accept in another case",
       with(good, "Sec-WebSocket-Accept", {"S3pPLMBiTxaQ9kYGzzhZRbK+xOo="}), false},
      {"accept cut", with(good, "Sec-WebSocket-Accept", {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo"}), false},
      {"protocol not offered", with(good, "Sec-WebSocket-Protocol", {"mqtt"}), false},
      {"protocol in another case", with(good, "Sec-WebSocket-Protocol", {"Chat"}), false},
      {"two protocols", with(good, "Sec-WebSocket-Protocol", {"chat, superchat"}), false},
      {"two protocol lines", with(good, "Sec-WebSocket-Protocol", {"chat", "superchat"}), false},
      {"empty protocol", with(good, "Sec-WebSocket-Protocol", {""}), true},
      {"commas for a protocol", with(good, "Sec-WebSocket-Protocol", {", ,"}), true},
      {"empty protocol beside one", with(good, "Sec-WebSocket-Protocol", {"", "chat"}), true},
      {"the same protocol twice", with(good, "Sec-WebSocket-Protocol", {"chat", "chat"}), false},
      {"protocol with a comma", with(good, "Sec-WebSocket-Protocol", {"chat,"}), false},
      {"protocol with a parameter", with(good, "Sec-WebSocket-Protocol", {"chat;v=1"}), false},
      {"too many protocol lines", with(good, "Sec-WebSocket-Protocol", {"", "", "", "", "chat"}),
       false},
      {"connection that names the accept",
       with(good, "Connection", {"Upgrade, Sec-WebSocket-Accept"}), false},
      {"too many connection lines", with(good, "Connection", {"Upgrade", "a", "b", "c", "d"}),
       false},
      {"an extension that is malformed", with(good, "Sec-WebSocket-Extensions", {"x-other; ="}),
       false},
      {"extension not offered", with(good, "Sec-WebSocket-Extensions", {"x-foreign"}), false},
      {"one extension of two not offered",
       with(good, "Sec-WebSocket-Extensions", {"x-other, x-foreign"}), false},
      {"too many extension lines",
       with(good, "Sec-WebSocket-Extensions", {"x-other", "x-other", "x-other", "x-other", ""}),
       false},
  };
  for (const Case& c : cases) {
    const auto agreed =
        ws::judge_response(c.status, fields_of(c.response), fields_of(request), kKey);
    EXPECT_EQ(agreed.has_value(), c.accepted)
        << c.name << ": " << (agreed ? "accepted" : agreed.error());
  }
}

TEST(WsHandshake, RefusesWhatWasNotOfferedAtAll) {
  const ws::HandshakeFields none;
  EXPECT_FALSE(ws::judge_response(
      101, fields_of(with(kGoodResponse, "Sec-WebSocket-Protocol", {"chat"})), none, kKey));
  EXPECT_FALSE(ws::judge_response(
      101, fields_of(with(kGoodResponse, "Sec-WebSocket-Extensions", {"permessage-deflate"})), none,
      kKey));
}

TEST(WsHandshake, TellsWhatWasAgreedOn) {
  const auto request =
      fields_of({{"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"},
                 {"Sec-WebSocket-Extensions", "x-other"}});
  const auto agreed = [&](std::string_view answer) {
    return ws::judge_response(
        101, fields_of(with(kGoodResponse, "Sec-WebSocket-Extensions", {answer})), request, kKey);
  };
  const auto deflate = agreed("permessage-deflate; client_max_window_bits=10");
  ASSERT_TRUE(deflate && deflate->deflate);
  EXPECT_EQ(*deflate->deflate, (ws::Deflate{.client_max_window_bits = 10}));
  EXPECT_FALSE(deflate->others);
  const auto other = agreed("x-other; q=1");
  ASSERT_TRUE(other);
  EXPECT_FALSE(other->deflate);
  EXPECT_TRUE(other->others);
  const auto nothing = agreed("");
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->deflate || nothing->others);
}

TEST(WsHandshake, TakesNothingThatWasKeptFromTheServer) {
  const std::vector<std::string> allowed = {"chat"};
  const auto request = fields_of(
      {{"Sec-WebSocket-Protocol", "chat, mqtt"},
       {"Sec-WebSocket-Extensions", "permessage-deflate, x-webkit-deflate-frame, x-other"}});
  auto extensions = ws::ExtensionPolicy::kUncompressing;
  const auto agrees = [&](std::string_view name, std::string_view value) {
    return ws::judge_response(101, fields_of(with(kGoodResponse, name, {value})), request, kKey,
                              {.subprotocols = allowed, .extensions = extensions})
        .has_value();
  };
  EXPECT_TRUE(agrees("Sec-WebSocket-Protocol", "chat"));
  EXPECT_FALSE(agrees("Sec-WebSocket-Protocol", "mqtt"));
  EXPECT_TRUE(agrees("Sec-WebSocket-Extensions", "x-other"));
  EXPECT_FALSE(agrees("Sec-WebSocket-Extensions", "permessage-deflate"));
  EXPECT_FALSE(agrees("Sec-WebSocket-Extensions", "x-webkit-deflate-frame"));

  extensions = ws::ExtensionPolicy::kNone;
  EXPECT_TRUE(agrees("Sec-WebSocket-Protocol", "chat"));
  EXPECT_TRUE(agrees("Sec-WebSocket-Extensions", ", ,"));
  EXPECT_FALSE(agrees("Sec-WebSocket-Extensions", "x-other"));
  EXPECT_FALSE(agrees("Sec-WebSocket-Extensions", "permessage-deflate"));
}

}  // namespace
