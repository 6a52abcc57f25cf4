// Requests through the whole gateway, on the real ring: what the other tests' parts make together.
#include <gtest/gtest.h>

#include <tuple>

#include "tests/gateway/exchange/live_gateway.hh"

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

TEST(Exchange, LogsALongTargetWholeOrShowsThatItIsCut) {
  LiveGateway gateway(free_port());
  gateway.start();
  for (const auto& [name, quotes, end] : {
           std::tuple{"/fits/", 800, R"(\"" route=)"},
           std::tuple{"/cut/", 1100, R"(\""... route=)"},
       }) {
    PlainPeer client = gateway.connect();
    const std::string target = name + std::string(quotes, '"');  // two bytes each in the log
    client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.receive_head().starts_with("HTTP/1.1 502 "));
    const std::string line = gateway.wait_for_log(name);
    EXPECT_NE(line.find(end), std::string::npos) << line;
    EXPECT_NE(line.find(" by=upstream "), std::string::npos) << line;
  }
}

}  // namespace
