// Who the client is, as the gateway says it and nobody else; and what a server is asked about it.
#include <vector>

#include "tests/gateway/rewrite/heads.hh"

namespace {

using forward_test::parse_request;
using gateway::RequestForwarding;
using gateway::config::HeaderChanges;

RequestForwarding from_client(const HeaderChanges& changes) {
  return {.peer_address = "192.0.2.7",
          .listener_port = 8080,
          .secure = false,
          .peer_trusted = false,
          .via = "gw",
          .target = "/",
          .changes = changes,
          .websocket = nullptr};
}

std::string request(std::string_view text, const RequestForwarding& forwarding) {
  const http::RequestHead head = parse_request(text);
  std::string forwarded;
  gateway::forward_request(forwarded, head, proto::as_bytes(text), forwarding);
  return forwarded;
}

std::string get(std::string_view fields, const RequestForwarding& forwarding) {
  return request("GET / HTTP/1.1\r\nHost: a.test\r\n" + std::string(fields) + "\r\n", forwarding);
}

const std::string kBegin = "GET / HTTP/1.1\r\nHost: a.test\r\n";
const std::string kOrigin =
    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.test\r\n"
    "X-Forwarded-Port: 8080\r\nForwarded: for=192.0.2.7;host=a.test;proto=http\r\n";
const std::string kOurs = kOrigin + "Via: 1.1 gw\r\n";

const std::vector<gateway::config::Header> kIdentity = {{"X-User", "alice"}, {"X-Role", "r"}};

TEST(Identity, SaysWhoTheClientIsAndNobodyElseDoes) {
  HeaderChanges changes;
  changes.owned = {"X-User", "X-Role"};
  RequestForwarding forwarding = from_client(changes);
  forwarding.identity = kIdentity;
  const std::string ours = "X-User: alice\r\nX-Role: r\r\n";
  EXPECT_EQ(get("X-User: a\r\nx_user: b\r\nX.Role: c\r\nX-Users: d\r\n", forwarding),
            kBegin + "X-Users: d\r\n" + kOurs + ours + "\r\n");
  // Of a trusted peer neither; and Connection takes nothing of it away.
  forwarding.peer_trusted = true;
  EXPECT_EQ(get("X-User: a\r\nConnection: X-User\r\n", forwarding), kBegin + kOurs + ours + "\r\n");
}

TEST(Identity, AsksWhetherItMayPass) {
  HeaderChanges changes;
  changes.owned = {"X-User", "Authorization"};
  changes.set = {{"X-Set", "1"}, {"Host", "other.test"}};
  changes.remove = {"X-Forwarded-For", "X-Removed"};
  RequestForwarding forwarding = from_client(changes);
  const std::vector<gateway::config::Header> identity = {{"X-User", "alice"}};
  forwarding.identity = identity;
  const gateway::AuthQuestion question{.host = "auth.test", .path = "/check", .target = "/x?y"};
  forwarding.question = &question;
  EXPECT_EQ(
      request(
          "POST /x?y HTTP/1.1\r\nHost: a.test\r\nX-User: root\r\nAuthorization: b\r\n"
          "Cookie: c=d\r\nX-Removed: 1\r\nX-Set: 2\r\nContent-Length: 5\r\nContent-Type: t/p\r\n"
          "Expect: 100-continue\r\nIf-Match: x\r\nRange: bytes=0-1\r\nX-Hop: 1\r\n"
          "X-Forwarded-Uri: /fake\r\nX_Forwarded_Method: FAKE\r\n"
          "Connection: X-Hop, Upgrade\r\nUpgrade: websocket\r\n\r\n",
          forwarding),
      "GET /check HTTP/1.1\r\nHost: auth.test\r\nAuthorization: b\r\nCookie: c=d\r\n"
      "X-Removed: 1\r\nX-Set: 2\r\n" +
          kOrigin +
          "X-Forwarded-Method: POST\r\nX-Forwarded-Uri: /x?y\r\nVia: 1.1 gw\r\n"
          "X-User: alice\r\n\r\n");
}

}  // namespace
