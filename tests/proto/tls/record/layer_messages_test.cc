// What may be said after the handshake, and what may not (RFC 8446 sections 4.6 and 5.1).
#include "tests/proto/tls/record/layers.hh"

namespace tls::record::test {
namespace {

// Lifetime 1 h, age_add, nonce 0000, a ticket of `size` bytes, no extensions; with its header.
Buffer ticket_message(std::size_t size) {
  Buffer body = hex("00000e10010203040200000000");
  body[11] = static_cast<std::byte>(size >> 8);
  body[12] = static_cast<std::byte>(size);
  body.resize(body.size() + size, std::byte{'t'});
  body.resize(body.size() + 2);
  Buffer message = hex("04000000");
  message[2] = static_cast<std::byte>(body.size() >> 8);
  message[3] = static_cast<std::byte>(body.size());
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

Buffer body_of(const Buffer& message) {
  return {message.begin() + 4, message.end()};
}

TEST(RecordMessages, KeysAreChangedBothWays) {
  for (const std::uint16_t id : kSuiteIds) {
    Facing facing(id);
    for (int i = 0; i < 5; ++i) {
      facing.client.layer->rekey(facing.client.wire);
      facing.client.seal("up");
      facing.server.seal("down");
      facing.run();
    }
    EXPECT_EQ(facing.server.received, "upupupupup");
    EXPECT_EQ(facing.client.received, "downdowndowndowndown");
    // Both ask at once.
    facing.client.layer->rekey(facing.client.wire);
    facing.server.layer->rekey(facing.server.wire);
    facing.run();
    facing.client.seal("!");
    facing.server.seal("!");
    facing.run();
    EXPECT_TRUE(facing.server.received.ends_with('!') && facing.client.received.ends_with('!'));
  }
}

TEST(RecordMessages, OnlyARequestIsAnsweredAndOnce) {
  Facing facing;
  facing.server.open(facing.client_hand.key_update(0));
  EXPECT_TRUE(facing.server.wire.bytes.empty());
  facing.server.open(facing.client_hand.key_update(1));
  const Buffer answer = facing.server.wire.take();
  EXPECT_EQ(answer.size(), 5 + Layer::kExpansion);
  facing.client.open(answer);
  EXPECT_TRUE(facing.client.wire.bytes.empty()) << "an answer asks for nothing";
  facing.server.seal("new key");
  facing.client.open(facing.server.wire.take());
  EXPECT_EQ(facing.client.received, "new key");
}

TEST(RecordMessages, APeerThatHasNotAnsweredIsNotAskedAgain) {
  Facing facing;
  facing.server.layer->rekey(facing.server.wire);
  facing.server.layer->rekey(facing.server.wire);
  facing.client.open(facing.server.wire.take());
  EXPECT_EQ(facing.client.wire.bytes.size(), 5 + Layer::kExpansion) << "one answer";
}

TEST(RecordMessages, AFloodOfKeyUpdatesIsRefused) {
  for (const int request : {0, 1}) {
    Facing facing;
    for (int i = 0; i < 10; ++i) {
      ASSERT_EQ(facing.server.open(facing.client_hand.key_update(request)), Status::kWantInput);
    }
    EXPECT_EQ(facing.server.open(facing.client_hand.key_update(request)), Status::kFailed);
    EXPECT_EQ(facing.server.layer->error().reason, "too many KeyUpdate messages");
    EXPECT_LE(facing.server.wire.bytes.size(), 512u);
  }
}

// Of either side: who is sent much, and says little, may change its key as often.
TEST(RecordMessages, DataPaysForKeyUpdates) {
  for (const bool is_received : {true, false}) {
    Facing facing;
    for (int i = 0; i < 100; ++i) {
      facing.server.open(facing.client_hand.key_update(1));
      if (is_received) facing.server.open(facing.client_hand.record(23, Buffer(1)));
      if (!is_received) facing.server.seal("x");
    }
    EXPECT_EQ(facing.server.status, Status::kWantInput);
  }
}

// RFC 8446 section 5.5: a key of theirs that is worn out.
TEST(RecordMessages, ThePeerIsAskedForANewKeyInTime) {
  Facing facing(0x1301, Layer::kRekeyAfter - 2);
  Hand client(facing.suite, facing.to_server, Layer::kRekeyAfter - 2);
  for (const std::size_t asked : {0, 1, 1, 1}) {
    facing.server.open(client.record(23, Buffer(1)));
    EXPECT_EQ(facing.server.wire.bytes.size(), asked * (5 + Layer::kExpansion));
  }
  EXPECT_EQ(facing.server.received.size(), 4u);
}

// Section 4.6.1 allows tickets of 64 KiB: who has such goes on without resuming.
TEST(RecordMessages, ATicketThatIsTooLongIsLeftOut) {
  Facing facing;
  const Buffer message = ticket_message(60000);
  const proto::Bytes all(message);
  for (std::size_t at = 0; at < all.size(); at += 16000) {
    move(facing.client, facing.resources());
    const std::size_t size = std::min<std::size_t>(16000, all.size() - at);
    facing.client.open(facing.server_hand.record(22, all.subspan(at, size)));
  }
  EXPECT_TRUE(facing.client.layer->take_ticket().empty());
  facing.client.open(facing.server_hand.record(23, proto::as_bytes("after")));
  EXPECT_EQ(facing.client.received, "after");
  facing.client.open(facing.server_hand.record(22, all.first(100)));
  EXPECT_EQ(facing.client.open(facing.server_hand.record(23, hex("00"))), Status::kFailed);
  EXPECT_EQ(facing.client.layer->error().reason, "a record within a message");
}

// Who sends much and hears nothing but answers: they were asked for.
TEST(RecordMessages, AnswersNeedNoPaying) {
  Facing facing;
  for (int i = 0; i < 100; ++i) {
    facing.client.layer->rekey(facing.client.wire);
    facing.client.seal(std::string(16384, 'x'));
    facing.run();
  }
  EXPECT_FALSE(facing.client.layer->failed());
}

TEST(RecordMessages, TicketsAreTakenByClients) {
  Facing facing;
  const Buffer first = ticket_message(200);
  const Buffer second = ticket_message(16384 - 4 - 15);
  facing.client.open(facing.server_hand.record(22, first, 20));
  EXPECT_EQ(facing.client.layer->take_ticket(), body_of(first));
  EXPECT_TRUE(facing.client.layer->take_ticket().empty());
  facing.client.open(facing.server_hand.record(22, second));
  facing.client.open(facing.server_hand.record(22, first));
  EXPECT_EQ(facing.client.layer->take_ticket(), body_of(first)) << "the newest";
  // Two, and a KeyUpdate, in one record.
  Buffer three = first;
  three.insert(three.end(), first.begin(), first.end());
  const Buffer update = hex("1800000100");
  three.insert(three.end(), update.begin(), update.end());
  facing.client.open(facing.server_hand.record(22, three));
  facing.server_hand.advance();
  facing.client.open(facing.server_hand.record(23, proto::as_bytes("after")));
  EXPECT_EQ(facing.client.received, "after");
  EXPECT_FALSE(facing.client.layer->take_ticket().empty());
}

TEST(RecordMessages, AMessageMayComeInAnyFragments) {
  const Buffer message = ticket_message(100);
  for (std::size_t split = 1; split < message.size(); ++split) {
    Facing facing;
    const proto::Bytes all(message);
    facing.client.open(facing.server_hand.record(22, all.first(split), split % 3));
    EXPECT_TRUE(facing.client.layer->take_ticket().empty());
    facing.client.open(facing.server_hand.record(22, all.subspan(split)));
    ASSERT_EQ(facing.client.layer->take_ticket(), body_of(message)) << split;
  }
  Facing facing;
  for (const std::byte byte : hex("1800000101")) {
    facing.client.open(facing.server_hand.record(22, {&byte, 1}));
  }
  facing.server_hand.advance();
  facing.client.open(facing.server_hand.record(23, proto::as_bytes("after")));
  EXPECT_EQ(facing.client.received, "after");
}

TEST(RecordMessages, NothingComesBetweenFragments) {
  for (const int type : {23, 21}) {
    for (std::size_t split = 1; split < 5; ++split) {
      Facing facing;
      facing.client.open(
          facing.server_hand.record(22, proto::Bytes(ticket_message(100)).first(split)));
      EXPECT_EQ(facing.client.open(facing.server_hand.record(type, hex("0100"))), Status::kFailed);
      EXPECT_EQ(facing.client.layer->error().reason, "a record within a message");
      EXPECT_EQ(facing.client.layer->error().alert_code, 10);
    }
  }
}

struct Case {
  const char* name;
  const char* message;
  Role to;
  AlertCode alert;
};

TEST(RecordMessages, WhatMayNotBeIsRefused) {
  using enum AlertCode;
  using enum Role;
  const Case cases[] = {
      {"a ticket for a server", "0400000f00000e10010203040200000001740000", kServer,
       kUnexpectedMessage},
      {"CertificateRequest", "0d000003000000", kClient, kUnexpectedMessage},
      {"CertificateRequest for a server", "0d000003000000", kServer, kUnexpectedMessage},
      {"ClientHello", "01000000", kServer, kUnexpectedMessage},
      {"HelloRequest", "00000000", kClient, kUnexpectedMessage},
      {"Finished", "14000000", kClient, kUnexpectedMessage},
      {"Certificate", "0b000000", kServer, kUnexpectedMessage},
      {"EndOfEarlyData", "05000000", kServer, kUnexpectedMessage},
      {"KeyUpdate of nothing", "18000000", kServer, kDecodeError},
      {"KeyUpdate of two bytes", "180000020000", kServer, kDecodeError},
      {"KeyUpdate of 2", "1800000102", kServer, kIllegalParameter},
      {"KeyUpdate of 255", "18000001ff", kClient, kIllegalParameter},
      {"two KeyUpdates in a record", "18000001001800000100", kServer, kUnexpectedMessage},
      {"a byte behind a KeyUpdate", "180000010004", kClient, kUnexpectedMessage},
      {"a ticket of 16 MiB", "04ffffff", kClient, kDecodeError},
      {"a ticket without a ticket", "0400000f00000e100102030402000000000000", kClient,
       kDecodeError},
      {"a ticket that is cut", "0400000400000e10", kClient, kDecodeError},
      {"a ticket with bytes behind", "0400001100000e1001020304020000000174000000", kClient,
       kDecodeError},
      {"a ticket with a broken extension", "0400001300000e100102030402000000017400040001000a",
       kClient, kDecodeError},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    for (const bool in_pieces : {false, true}) {
      Facing facing;
      End& end = each.to == kServer ? facing.server : facing.client;
      Hand& hand = each.to == kServer ? facing.client_hand : facing.server_hand;
      const Buffer message = hex(each.message);
      // Nothing may be cut behind a KeyUpdate: its key is the next one's.
      const std::size_t cut = in_pieces ? 1 : message.size();
      end.open(hand.record(22, proto::Bytes(message).first(cut)));
      if (in_pieces) end.open(hand.record(22, proto::Bytes(message).subspan(cut)));
      EXPECT_EQ(end.status, Status::kFailed);
      EXPECT_EQ(end.layer->error().alert_code, static_cast<std::uint8_t>(each.alert))
          << end.layer->error().text();
    }
  }
}

}  // namespace
}  // namespace tls::record::test
