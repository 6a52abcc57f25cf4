// Requests through the whole gateway, on the real ring: what the other tests' parts make together.
#include <gtest/gtest.h>

#include "tests/gateway/live_gateway.hh"

namespace {

constexpr std::string_view kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

TEST(Exchange, RefusesAWebSocketHandshakeWithABody) {
  PlainListener upstream;
  LiveGateway gateway(upstream.port());
  gateway.start();
  for (const std::string_view framing :
       {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
    PlainPeer client = gateway.connect();
    client.send(std::string(kUpgrade).append(framing).append("\r\nabc"));
    EXPECT_TRUE(client.receive_head().starts_with("HTTP/1.1 400 "));
  }
}

TEST(Exchange, NoticesTheResetOfAClientWhileItDials) {
  PlainListener full(0);  // takes one connection, and answers no other
  const PlainPeer first = PlainPeer::connect(full.port());
  LiveGateway gateway(full.port(), "[timeouts]\nconnect = \"1h\"\n");
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send("GET /waits HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n");
  PlainPeer probe = gateway.connect();  // answered after the first was read
  probe.send("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n");
  EXPECT_TRUE(probe.receive_head().starts_with("HTTP/1.1 405 "));
  client.reset();
  EXPECT_NE(gateway.wait_for_log("GET x /waits").find("end=client-reset"), std::string::npos);
}

}  // namespace
