// Servers whose names have several addresses, some of which are silent, refuse, or are late. None
// of these tests would end in time if the connect timeout decided, where it is an hour.
#include <gtest/gtest.h>

#include "tests/gateway/exchange/live_gateway.hh"

namespace {

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kLast =
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const std::string kPatient = "[timeouts]\nconnect = \"1h\"\n";

// An address that hears nothing: its queue is full.
class SilentListener {
 public:
  SilentListener() : listener_(0), first_(PlainPeer::connect(listener_.port())) {}
  std::uint16_t port() const { return listener_.port(); }
  // From here on it is heard; the first that asks again is accepted.
  PlainPeer accept() {
    PlainPeer accepted = listener_.accept();
    return listener_.accept();
  }

 private:
  PlainListener listener_;
  PlainPeer first_;
};

void answer(PlainPeer server) {
  EXPECT_TRUE(server.receive_head().starts_with("GET /x "));
  server.send(kLast);
}

void expect_status(PlainPeer& client, std::string_view status) {
  EXPECT_TRUE(client.receive_head().starts_with(status)) << status;
}

TEST(Dialler, TriesTheNextAddressBesideOneThatIsSilent) {
  SilentListener silent;
  PlainListener good;
  LiveGateway gateway({silent.port(), good.port()}, kPatient);
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send(kGet);
  answer(good.accept());
  expect_status(client, "HTTP/1.1 200 ");
  const std::string line = gateway.wait_for_log("state=avoided");
  EXPECT_NE(line.find("127.0.0.1:" + std::to_string(silent.port())), std::string::npos) << line;
}

TEST(Dialler, TriesTheNextAddressBesideOneThatIsSilentInTheHandshake) {
  PlainListener silent;  // the kernel accepts for it
  PlainListener other;
  LiveGateway gateway({silent.port(), other.port()},
                      "[timeouts]\nconnect = \"10s\"\n[pool.app.tls]\nverify = false\n");
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send(kGet);
  PlainPeer server = other.accept();
  char record = 0;
  EXPECT_EQ(server.receive({&record, 1}), 1);
  EXPECT_EQ(record, 0x16) << "a handshake";
}

TEST(Dialler, TriesTheNextAddressAtOnceWhereOneRefuses) {
  PlainListener good;
  LiveGateway gateway({free_port(), free_port(), good.port()}, kPatient);
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send(kGet);
  answer(good.accept());
  expect_status(client, "HTTP/1.1 200 ");
}

TEST(Dialler, TriesAnAddressThatHasFailedLast) {
  const std::uint16_t port = free_port();
  PlainListener good;
  LiveGateway gateway({port, good.port()}, kPatient);
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send(kGet);
  answer(good.accept());
  expect_status(client, "HTTP/1.1 200 ");
  PlainListener again(16, port);
  for (int requests = 0; requests < 3; ++requests) {
    client.send(kGet);
    answer(good.accept());
    expect_status(client, "HTTP/1.1 200 ");
  }
  EXPECT_TRUE(again.is_quiet());
}

TEST(Dialler, TriesAnAddressThatHasFailedWhereTheOthersFailToo) {
  const std::uint16_t port = free_port();
  auto good = std::make_unique<PlainListener>(16, free_port());
  LiveGateway gateway({port, good->port()}, kPatient);
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send(kGet);
  answer(good->accept());
  expect_status(client, "HTTP/1.1 200 ");
  good.reset();
  PlainListener again(16, port);
  client.send(kGet);
  answer(again.accept());
  expect_status(client, "HTTP/1.1 200 ");
  EXPECT_NE(gateway.wait_for_log("state=fine").find(":" + std::to_string(port)), std::string::npos);
}

TEST(Dialler, TakesAnAddressThatIsLateWhereNoneIsBetter) {
  SilentListener late;
  SilentListener silent;
  LiveGateway gateway({late.port(), silent.port(), free_port()}, kPatient);
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send(kGet);
  gateway.wait_for_log("address=127.0.0.1:" + std::to_string(silent.port()) + " state=avoided");
  answer(late.accept());
  expect_status(client, "HTTP/1.1 200 ");
}

TEST(Dialler, ReachesTheLastOfManyAddressesThatAreAllSilent) {
  std::vector<SilentListener> silent(5);
  std::vector<std::uint16_t> ports;
  for (const SilentListener& one : silent) ports.push_back(one.port());
  PlainListener good;
  ports.push_back(good.port());
  LiveGateway gateway(ports, kPatient);
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send(kGet);
  answer(good.accept());
  expect_status(client, "HTTP/1.1 200 ");
  for (const SilentListener& one : silent) {
    gateway.wait_for_log("address=127.0.0.1:" + std::to_string(one.port()) + " state=avoided");
  }
}

TEST(Dialler, AnswersInTimeWhereEveryAddressIsSilent) {
  std::vector<SilentListener> silent(6);
  std::vector<std::uint16_t> ports;
  for (const SilentListener& one : silent) ports.push_back(one.port());
  LiveGateway gateway(ports, "[timeouts]\nconnect = \"200ms\"\n");
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send(kGet);
  expect_status(client, "HTTP/1.1 504 ");
}

TEST(Dialler, SaysWhyWhereEveryAddressRefuses) {
  LiveGateway gateway({free_port(), free_port()}, kPatient);
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send(kGet);
  expect_status(client, "HTTP/1.1 502 ");
  EXPECT_NE(gateway.wait_for_log("status=502").find("Connection refused"), std::string::npos);
}

TEST(Dialler, GivesUpAllAddressesWhenTheClientLeaves) {
  SilentListener one;
  SilentListener two;
  LiveGateway gateway({one.port(), two.port()}, kPatient);
  gateway.start();
  PlainPeer client = gateway.connect();
  client.send(kGet);
  gateway.wait_for_log("address=127.0.0.1:" + std::to_string(two.port()) + " state=avoided");
  client.reset();
  EXPECT_NE(gateway.wait_for_log("GET x /x").find("end=client-reset"), std::string::npos);
  gateway.stop(SIGTERM);  // which waits for every connection
}

}  // namespace
