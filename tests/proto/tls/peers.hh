// Two TLS peers in memory, for the tests of this folder: what one seals is opened by the other, in
// pieces of a chosen size.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proto/tls/context.hh"
#include "proto/tls/self_signed.hh"
#include "proto/tls/session.hh"
#include "proto/tls/ticket_keys.hh"

namespace tls::test {

// One certificate for all tests of a process.
inline const Pem& localhost() {
  static const Pem pem = make_self_signed().value();
  return pem;
}

struct Wire final : Sink {
  std::vector<std::byte> bytes;
  std::size_t appends = 0;

  void append(proto::Bytes sealed) override {
    bytes.insert(bytes.end(), sealed.begin(), sealed.end());
    ++appends;
  }
  std::vector<std::byte> take() { return std::exchange(bytes, {}); }
};

struct Peer {
  std::unique_ptr<Session> session;
  Wire wire;             // towards the other peer
  std::string received;  // plaintext
  Progress::Status status = Progress::Status::kWantInput;
  std::size_t room = Session::kRecordPlaintextMax;

  // Feeds the bytes in one piece; keeps plaintext and the last status.
  void open(proto::Bytes ciphertext) {
    std::vector<std::byte> plaintext(room);
    while (true) {
      const Progress progress = session->open(ciphertext, plaintext, wire);
      status = progress.status;
      if (status != Progress::Status::kPlaintext) break;
      received += proto::as_text({plaintext.data(), progress.plaintext});
    }
    EXPECT_TRUE(ciphertext.empty());
  }
  void seal(std::string_view text) { session->seal(proto::as_bytes(text), wire); }
};

struct Pair {
  TicketKeys tickets;
  std::unique_ptr<ServerContexts> contexts;
  std::unique_ptr<ClientContext> context;
  Peer server;
  Peer client;
  std::size_t piece = 1 << 20;

  explicit Pair(ClientOptions options = {.ca = localhost().chain},
                const std::string& name = "localhost", const Ticket& ticket = {})
      : contexts(ServerContexts::load({&localhost(), 1}, tickets).value()),
        context(ClientContext::load(options).value()) {
    server.session = std::make_unique<Session>(*contexts);
    client.session = std::make_unique<Session>(*context, name, ticket);
  }

  void deliver(Peer& from, Peer& to) {
    const std::vector<std::byte> taken = from.wire.take();
    for (std::size_t at = 0; at < taken.size(); at += piece) {
      to.open(proto::Bytes(taken).subspan(at, std::min(piece, taken.size() - at)));
    }
  }
  // Until nobody has anything to say.
  void run() {
    while (!client.wire.bytes.empty() || !server.wire.bytes.empty()) {
      deliver(client, server);
      deliver(server, client);
    }
  }
  void shake_hands() {
    client.session->start(client.wire);
    run();
    ASSERT_TRUE(server.session->handshake_done()) << server.session->error().text();
    ASSERT_TRUE(client.session->handshake_done()) << client.session->error().text();
  }
};

}  // namespace tls::test
