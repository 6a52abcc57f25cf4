// Records: what is sealed is opened, in whatever pieces it comes; what was tampered with is not.
#include "proto/tls/record/layer.hh"

#include <algorithm>
#include <cstring>

#include "tests/proto/tls/record/layers.hh"

namespace tls::record::test {
namespace {

std::string text_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 2654435761u >> 11);
  return text;
}

// RFC 8448 section 3: the application data of both sides, and the client's close_notify.
TEST(RecordLayer, SpeaksAsRfc8448Does) {
  const Suite& suite = *find_suite(0x1301);
  const Secret client(hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"));
  const Secret server(hex("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"));
  KeyCache keys;
  RecordBuffers buffers;
  End end;
  // The server's first record has been its ticket.
  end.layer = std::make_unique<Layer>(suite, Role::kClient, Traffic{client, 0}, Traffic{server, 1},
                                      Secret{}, Resources{keys, buffers});
  std::string text;
  for (char byte = 0; byte < 50; ++byte) text += byte;
  end.seal(text);
  EXPECT_EQ(to_hex(end.wire.take()),
            "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a"
            "9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4");
  end.layer->close(end.wire);
  EXPECT_EQ(to_hex(end.wire.take()), "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3");
  end.open(
      hex("17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc"
          "602dcb501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d"));
  EXPECT_EQ(end.received, text);
}

class EachSuite : public testing::TestWithParam<std::uint16_t> {};
INSTANTIATE_TEST_SUITE_P(RecordLayer, EachSuite, testing::ValuesIn(kSuiteIds),
                         [](const auto& each) {
                           return std::string(find_suite(each.param)->name);
                         });

TEST_P(EachSuite, CarriesEverySizeBothWays) {
  Facing facing(GetParam());
  for (const std::size_t size :
       {1u, 2u, 15u, 16u, 17u, 255u, 4096u, 16383u, 16384u, 16385u, 50000u}) {
    facing.client.received.clear();
    facing.server.received.clear();
    const std::string text = text_of(size);
    facing.client.seal(text);
    facing.server.seal(text);
    EXPECT_EQ(facing.client.wire.bytes.size(), size + (size + 16383) / 16384 * Layer::kExpansion);
    facing.run();
    EXPECT_TRUE(facing.server.received == text) << size;
    EXPECT_TRUE(facing.client.received == text) << size;
  }
  EXPECT_EQ(facing.buffers.in_use(), 0u);
}

TEST_P(EachSuite, IsTheSameByEitherImplementation) {
  Facing by_wolfcrypt(GetParam(), 0, wolfcrypt_aead());
  Facing by_fastest(GetParam());
  for (const std::size_t size : {5u, 1500u, 16384u}) {
    by_wolfcrypt.client.seal(text_of(size));
    by_fastest.client.seal(text_of(size));
  }
  EXPECT_EQ(by_wolfcrypt.client.wire.bytes, by_fastest.client.wire.bytes);
  by_wolfcrypt.server.open(by_fastest.client.wire.take());
  EXPECT_EQ(by_wolfcrypt.server.received, text_of(5) + text_of(1500) + text_of(16384));
}

TEST(RecordLayer, OpensARecordSplitAnywhere) {
  Facing facing;
  for (std::size_t split = 1; split < 322; ++split) {
    const std::string text = text_of(300);
    facing.client.seal(text);
    const Buffer sealed = facing.client.wire.take();
    facing.server.received.clear();
    facing.server.open(proto::Bytes(sealed).first(split));
    ASSERT_EQ(facing.server.layer->held(), split);
    ASSERT_TRUE(facing.server.received.empty());
    facing.server.open(proto::Bytes(sealed).subspan(split));
    ASSERT_EQ(facing.server.received, text);
    ASSERT_EQ(facing.server.layer->held(), 0u);
    ASSERT_EQ(facing.buffers.in_use(), 0u);
  }
}

TEST(RecordLayer, WorksOneByteAtATime) {
  Facing facing;
  const std::string text = text_of(20000);
  facing.client.seal("a");
  facing.client.seal(text);
  facing.client.layer->rekey(facing.client.wire);
  facing.client.seal("b");
  for (const std::byte byte : facing.client.wire.take()) facing.server.open({&byte, 1});
  EXPECT_TRUE(facing.server.received == "a" + text + "b");
}

TEST(RecordLayer, HandsOutThroughASmallWindow) {
  for (const std::size_t room : {1u, 7u, 99u, 100u, 101u}) {
    Facing facing;
    facing.client.seal(text_of(100));
    facing.client.seal(text_of(30));
    const Buffer sealed = facing.client.wire.take();
    facing.server.open(proto::Bytes(sealed).first(40), room);
    facing.server.open(proto::Bytes(sealed).subspan(40), room);
    EXPECT_EQ(facing.server.received, text_of(100) + text_of(30));
    EXPECT_EQ(facing.server.layer->held(), 0u);
    EXPECT_EQ(facing.buffers.in_use(), 0u);
  }
}

// Where a full record's plaintext has room, but not its type.
TEST(RecordLayer, HandsOutAFullRecordWhereItJustFits) {
  Facing facing;
  facing.client.seal(text_of(16384));
  facing.server.open(facing.client.wire.take(), 16384);
  EXPECT_TRUE(facing.server.received == text_of(16384));
}

// A sink that has the plaintext, and takes the sealed bytes where they are written.
struct Batch final : Sink {
  Buffer memory = Buffer(20000);
  std::size_t size = 0;
  void append(proto::Bytes) override { FAIL() << "there is room"; }
  std::byte* reserve(std::size_t bytes) override {
    EXPECT_LE(size + bytes, memory.size());
    return memory.data() + size;
  }
  void commit(std::size_t bytes) override { size += bytes; }
};

TEST(RecordLayer, SealsWhereTheSinkWantsIt) {
  Facing facing;
  for (const std::size_t bytes : {1u, 16u, 1000u, 1100u, 16384u}) {
    for (const std::size_t offset : {0u, 1u, 4u, 5u, 6u, 13u, 16u, 3000u}) {
      Batch batch;
      const std::string text = text_of(bytes);
      if (offset + bytes > batch.memory.size()) continue;
      std::memcpy(batch.memory.data() + offset, text.data(), bytes);
      facing.client.layer->seal({batch.memory.data() + offset, bytes}, batch);
      facing.server.received.clear();
      facing.server.open(proto::Bytes(batch.memory).first(batch.size));
      ASSERT_TRUE(facing.server.received == text) << bytes << " at " << offset;
    }
    Batch batch;
    facing.client.layer->seal(proto::as_bytes(text_of(bytes)), batch);
    facing.server.received.clear();
    facing.server.open(proto::Bytes(batch.memory).first(batch.size));
    ASSERT_TRUE(facing.server.received == text_of(bytes));
  }
  EXPECT_EQ(facing.buffers.allocated(), 0u);
}

// Each bit of a record, its header included; and what the peer is told of it.
TEST(RecordLayer, RefusesARecordWithAnyBitChanged) {
  Facing once;
  once.client.seal("precious");
  const Buffer sealed = once.client.wire.take();
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Facing facing;
    Buffer attempt = sealed;
    attempt[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    const bool is_longer = bit / 8 == 3 || (bit / 8 == 4 && attempt[4] > sealed[4]);
    facing.server.open(attempt);
    EXPECT_TRUE(facing.server.received.empty());
    if (facing.server.status == Status::kWantInput) {
      EXPECT_TRUE(is_longer);
      EXPECT_EQ(facing.server.open(Buffer(17000)), Status::kFailed);
    }
    ASSERT_EQ(facing.server.status, Status::kFailed) << bit;
    const auto code = static_cast<AlertCode>(facing.server.layer->error().alert_code);
    if (bit < 8) {
      EXPECT_EQ(code, AlertCode::kUnexpectedMessage);
    } else if (code == AlertCode::kRecordOverflow) {
      EXPECT_EQ(bit / 8, 3u);
    } else {
      EXPECT_EQ(code, AlertCode::kBadRecordMac);
    }
    // The alert is one that the peer can read.
    EXPECT_EQ(facing.client.open(facing.server.wire.take()), Status::kFailed);
    EXPECT_EQ(facing.client.layer->error().alert, Error::Alert::kReceived);
    EXPECT_EQ(facing.client.layer->error().alert_code, static_cast<std::uint8_t>(code));
    facing.client.seal("never");
    facing.server.seal("never");
    facing.server.layer->close(facing.server.wire);
    facing.server.layer->rekey(facing.server.wire);
    EXPECT_TRUE(facing.client.wire.bytes.empty() && facing.server.wire.bytes.empty());
  }
}

TEST(RecordLayer, RefusesWhatIsReplayedOrOutOfOrder) {
  Facing facing;
  facing.client.seal("one");
  const Buffer one = facing.client.wire.take();
  facing.client.seal("two");
  facing.server.open(one);
  EXPECT_EQ(facing.server.open(one), Status::kFailed);
  Facing other;
  EXPECT_EQ(other.server.open(facing.client.wire.take()), Status::kFailed);
}

struct Case {
  const char* name;
  Buffer record;
  AlertCode alert;
  std::string_view reason;
};

TEST(RecordLayer, RefusesRecordsThatMayNotBe) {
  const auto hand = [] { return Facing().client_hand; };
  const Buffer none;
  const Buffer full(16384, std::byte{'x'});
  using enum AlertCode;
  const Case cases[] = {
      {"ChangeCipherSpec", hex("140303000101"), kUnexpectedMessage, "a record that is not sealed"},
      {"plain alert", hex("15030300020100"), kUnexpectedMessage, "a record that is not sealed"},
      {"plain handshake", hex("1603030005"), kUnexpectedMessage, "a record that is not sealed"},
      {"unknown", hex("1903030001"), kUnexpectedMessage, "not TLS"},
      {"HTTP", hex("474554202f"), kUnexpectedMessage, "not TLS"},
      {"over 2^14 + 256", hex("1703034101"), kRecordOverflow, "record too long"},
      {"shorter than a tag", hex("170303000f"), kBadRecordMac, "record too short"},
      {"empty", hex("1703030000"), kBadRecordMac, "record too short"},
      {"nothing inside", hand().raw(none), kUnexpectedMessage, "a record of no type"},
      {"zeros", hand().raw(Buffer(100)), kUnexpectedMessage, "a record of no type"},
      {"inside over 2^14 + 1", hand().record(23, full, 1), kRecordOverflow, "record too long"},
      {"ChangeCipherSpec inside", hand().record(20, hex("01")), kUnexpectedMessage,
       "a record of an unknown type"},
      {"type 24", hand().record(24, hex("01")), kUnexpectedMessage, "a record of an unknown type"},
      {"type 255", hand().record(255, hex("01")), kUnexpectedMessage,
       "a record of an unknown type"},
      {"empty alert", hand().record(21, none), kUnexpectedMessage, "empty alert"},
      {"long alert", hand().record(21, hex("010000")), kDecodeError, "malformed alert"},
      {"two alerts", hand().record(21, hex("01000100")), kDecodeError, "malformed alert"},
      {"empty handshake", hand().record(22, none), kUnexpectedMessage, "empty handshake record"},
  };
  for (const Case& each : cases) {
    for (const bool is_at_once : {true, false}) {
      SCOPED_TRACE(each.name);
      Facing facing;
      if (is_at_once) {
        facing.server.open(each.record);
      } else {
        for (const std::byte byte : each.record) facing.server.open({&byte, 1});
      }
      EXPECT_EQ(facing.server.status, Status::kFailed);
      EXPECT_EQ(facing.server.layer->error().reason, each.reason);
      EXPECT_EQ(facing.server.layer->error().alert, Error::Alert::kSent);
      EXPECT_EQ(facing.server.layer->error().alert_code, static_cast<std::uint8_t>(each.alert));
    }
  }
}

TEST(RecordLayer, TakesPaddingAndAnyVersion) {
  Facing facing;
  facing.server.open(facing.client_hand.record(23, proto::as_bytes("padded"), 1000));
  facing.server.open(facing.client_hand.record(23, proto::as_bytes("full"), 16384 - 4));
  Buffer inner = hex("7621");
  inner.push_back(std::byte{23});
  facing.server.open(facing.client_hand.raw(inner, 0x0301));
  EXPECT_EQ(facing.server.received, "paddedfullv!");
  EXPECT_FALSE(facing.server.layer->failed());
}

TEST(RecordLayer, BoundsEmptyRecords) {
  Facing facing;
  for (int i = 0; i < 32; ++i) facing.server.open(facing.client_hand.record(23, {}, 5));
  facing.server.open(facing.client_hand.record(23, proto::as_bytes("x")));
  for (int i = 0; i < 32; ++i) facing.server.open(facing.client_hand.record(23, {}));
  EXPECT_EQ(facing.server.status, Status::kWantInput);
  EXPECT_EQ(facing.server.open(facing.client_hand.record(23, {})), Status::kFailed);
  EXPECT_EQ(facing.server.layer->error().reason, "too many empty records");
}

TEST(RecordLayer, ChangesItsKeyBeforeThatIsWornOut) {
  Facing facing(0x1301, Layer::kRekeyAfter - 2);
  for (int i = 0; i < 5; ++i) facing.client.seal("up");
  facing.run();
  EXPECT_EQ(facing.server.received, "upupupupup");
  EXPECT_FALSE(facing.server.layer->failed()) << facing.server.layer->error().text();
  facing.server.seal("down");
  facing.run();
  EXPECT_EQ(facing.client.received, "down");
  // A key whose records have a number of more than four bytes.
  Facing far(0x1303, (std::uint64_t{1} << 40) - 2);
  for (int i = 0; i < 3; ++i) far.client.layer->seal(proto::as_bytes("x"), far.client.wire);
  far.run();
  EXPECT_EQ(far.server.received, "xxx");
}

// With few places for expanded keys each of many takes another's.
TEST(RecordLayer, GoesOnWhereItsExpandedKeyHasGone) {
  const Suite& suite = *find_suite(0x1302);
  KeyCache keys(fastest_aead(), 3);
  RecordBuffers buffers;
  std::vector<std::pair<End, End>> pairs(10);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Traffic up{secret_number(suite, 10 + static_cast<int>(i)), 0};
    const Traffic down{secret_number(suite, 50 + static_cast<int>(i)), 0};
    auto& [server, client] = pairs[i];
    server.layer =
        std::make_unique<Layer>(suite, Role::kServer, down, up, Secret{}, Resources{keys, buffers});
    client.layer =
        std::make_unique<Layer>(suite, Role::kClient, up, down, Secret{}, Resources{keys, buffers});
  }
  for (int round = 0; round < 5; ++round) {
    for (auto& [server, client] : pairs) {
      client.seal("ping");
      server.open(client.wire.take());
      server.seal("pong");
      client.open(server.wire.take());
    }
  }
  for (auto& [server, client] : pairs) {
    EXPECT_EQ(server.received, "pingpingpingpingping");
    EXPECT_EQ(client.received, "pongpongpongpongpong");
  }
}

}  // namespace
}  // namespace tls::record::test
