// Heads as they are passed on, byte by byte.
#include "gateway/forward.hh"

#include <gtest/gtest.h>

namespace {

using proto::as_bytes;

struct Case {
  const char* name;
  std::string_view input;
  std::string_view expected;
};

std::string request(std::string_view text, bool secure = false, bool websocket = false) {
  http::RequestHead head;
  http::RequestParser parser(head);
  const auto state = parser.parse(as_bytes(text));
  EXPECT_TRUE(state && *state == http::HeadState::kComplete)
      << (state ? "incomplete" : state.error().reason);
  std::string forwarded;
  gateway::forward_request(forwarded, head, as_bytes(text), {"192.0.2.7", secure}, websocket);
  return forwarded;
}

http::ResponseHead parse_response(std::string_view text) {
  http::ResponseHead head;
  http::ResponseParser parser(head);
  const auto state = parser.parse(as_bytes(text));
  EXPECT_TRUE(state && *state == http::HeadState::kComplete)
      << (state ? "incomplete" : state.error().reason);
  return head;
}

std::string response(std::string_view text, http::BodyFraming framing) {
  std::string forwarded;
  gateway::forward_response(forwarded, parse_response(text), as_bytes(text), framing);
  return forwarded;
}

#define OURS "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.test\r\n"
#define OURS_AND_CLOSE OURS "Connection: close\r\n\r\n"

constexpr Case kRequests[] = {
    {"keeps the target, the fields' case and order",
     "GET /a/../b?c=%20 HTTP/1.1\r\nHost: a.test\r\nX-ONE:  1 \r\nx-two: 2\r\nX-ONE: 3\r\n\r\n",
     "GET /a/../b?c=%20 HTTP/1.1\r\nHost: a.test\r\nX-ONE: 1\r\nx-two: 2\r\nX-ONE: "
     "3\r\n" OURS_AND_CLOSE},
    {"removes what is for one hop",
     "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, X-Own\r\nKeep-Alive: 5\r\n"
     "x-own: 1\r\nTE: trailers\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nTrailer: X\r\n"
     "Proxy-Authorization: x\r\nAccept: */*\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\n" OURS_AND_CLOSE},
    {"does not let Connection remove what the gateway sets",
     "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: host, content-length, X-Forwarded-For, "
     "X-Forwarded-Proto, X-Forwarded-Host\r\nContent-Length: 3\r\n\r\n",
     "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n" OURS_AND_CLOSE},
    {"does not believe the client",
     "GET / HTTP/1.1\r\nHost: a.test\r\nx-forwarded-for: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n"
     "X-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nForwarded: for=1.1.1.1\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: a.test\r\n" OURS_AND_CLOSE},
    {"frames a chunked body anew",
     "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n",
     "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n" OURS_AND_CLOSE},
    {"keeps a length of nothing", "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n",
     "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n" OURS_AND_CLOSE},
    {"writes the absolute form as the origin form, and believes its host",
     "GET http://a.test/p?q HTTP/1.1\r\nHost: other\r\n\r\n",
     "GET /p?q HTTP/1.1\r\nHost: a.test\r\n" OURS_AND_CLOSE},
    {"gives the absolute form without a path one",
     "GET http://a.test?q HTTP/1.1\r\nHost: a.test\r\n\r\n",
     "GET /?q HTTP/1.1\r\nHost: a.test\r\n" OURS_AND_CLOSE},
    {"writes an absolute OPTIONS without a path as the asterisk form",
     "OPTIONS http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n",
     "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n" OURS_AND_CLOSE},
    {"keeps the asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n",
     "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n" OURS_AND_CLOSE},
    {"speaks HTTP/1.1 for an older client, with an empty Host where there is none",
     "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: \r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
     "Connection: close\r\n\r\n"},
};

TEST(ForwardRequest, WritesExactly) {
  for (const Case& test : kRequests) EXPECT_EQ(request(test.input), test.expected) << test.name;
}

TEST(ForwardRequest, SaysThatTheClientCameThroughTls) {
  const std::string head = request("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", true);
  EXPECT_NE(head.find("\r\nX-Forwarded-Proto: https\r\n"), std::string::npos) << head;
}

constexpr Case kUpgrades[] = {
    {"asks for the upgrade anew",
     "GET /ws HTTP/1.1\r\nHost: a.test\r\nUpgrade: WebSocket, h2c\r\nConnection: keep-alive, "
     "upgrade\r\nSec-WebSocket-Key: k\r\nsec-websocket-protocol: chat\r\n\r\n",
     "GET /ws HTTP/1.1\r\nHost: a.test\r\nSec-WebSocket-Key: k\r\nsec-websocket-protocol: "
     "chat\r\n" OURS "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
    // The upstream refuses that then, and its refusal is what the client gets.
    {"leaves out a key that Connection names",
     "GET /ws HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade, "
     "Sec-WebSocket-Key\r\nSec-WebSocket-Key: k\r\n\r\n",
     "GET /ws HTTP/1.1\r\nHost: a.test\r\n" OURS
     "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
};

TEST(ForwardRequest, AsksForAWebSocket) {
  for (const Case& test : kUpgrades) {
    EXPECT_EQ(request(test.input, false, true), test.expected) << test.name;
  }
}

struct ResponseCase {
  const char* name;
  http::BodyFraming framing;
  std::string_view input;
  std::string_view expected;
};

constexpr ResponseCase kResponses[] = {
    {"keeps the length",
     {http::Framing::kLength, 5},
     "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nServer: x\r\nConnection: keep-alive\r\n\r\n",
     "HTTP/1.1 200 Fine\r\nServer: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"},
    {"speaks HTTP/1.1 for an older upstream",
     {http::Framing::kChunked, 0},
     "HTTP/1.0 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
     "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n"
     "Connection: close\r\n\r\n"},
    {"ends with the connection for a client that knows no chunks",
     {http::Framing::kUntilClose, 0},
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n",
     "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
    {"tells the length of what HEAD or 304 leave out",
     {http::Framing::kNone, 0},
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n",
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\nConnection: close\r\n\r\n"},
    {"tells no length with 204",
     {http::Framing::kNone, 0},
     "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
     "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"},
    {"removes what Connection names, and passes no upgrade on",
     {http::Framing::kLength, 0},
     "HTTP/1.1 426 \r\nContent-Length: 0\r\nConnection: X-Own, upgrade\r\nX-Own: 1\r\n"
     "Upgrade: h2c\r\n\r\n",
     "HTTP/1.1 426 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
};

TEST(ForwardResponse, WritesExactly) {
  for (const ResponseCase& test : kResponses) {
    EXPECT_EQ(response(test.input, test.framing), test.expected) << test.name;
  }
}

TEST(ForwardInterim, KeepsItsFieldsAndHasNoFraming) {
  const std::string_view text =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 3\r\nConnection: x\r\nX: "
      "1\r\n\r\n";
  std::string head;
  gateway::forward_interim(head, parse_response(text), as_bytes(text));
  EXPECT_EQ(head, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

TEST(ForwardSwitch, OpensAWebSocket) {
  const std::string_view text =
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: upgrade\r\n"
      "Sec-WebSocket-Accept: a\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
  std::string head;
  gateway::forward_switch(head, parse_response(text), as_bytes(text));
  EXPECT_EQ(head,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: a\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
}

}  // namespace
