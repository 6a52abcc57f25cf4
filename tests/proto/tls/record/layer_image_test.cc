// A layer that goes on elsewhere.
#include <algorithm>
#include <random>

#include "proto/digest.hh"
#include "tests/proto/tls/record/layers.hh"

namespace tls::record::test {
namespace {

TEST(RecordImage, LeavesNothingBehind) {
  Facing facing;
  const Buffer image = image_of(facing.server);
  EXPECT_TRUE(facing.server.layer->failed());
  facing.server.seal("never");
  facing.server.layer->close(facing.server.wire);
  EXPECT_EQ(facing.server.open(facing.client_hand.record(23, hex("00"))), Status::kFailed);
  EXPECT_TRUE(facing.server.wire.bytes.empty());
  Buffer again;
  EXPECT_FALSE(facing.server.layer->export_to(again));
  EXPECT_TRUE(again.empty());
}

// Both ends move at random points of a conversation that has everything in it.
TEST(RecordImage, GoesOnFromAnyPoint) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Facing facing(kSuiteIds[seed % 3], random() % 2 == 0 ? 0 : Layer::kRekeyAfter - 3);
    KeyCache other_keys(seed % 2 == 0 ? fastest_aead() : wolfcrypt_aead());
    RecordBuffers other_buffers;
    const Resources elsewhere{other_keys, other_buffers};
    std::string up, down;
    const auto deliver = [&](End& from, End& to) {
      const Buffer sealed = from.wire.take();
      proto::Bytes rest(sealed);
      while (!rest.empty()) {
        const std::size_t part = std::min<std::size_t>(rest.size(), 1 + random() % 300);
        to.open(rest.first(part), random() % 3 == 0 ? 50 : Layer::kOpenRoom);
        rest = rest.subspan(part);
        if (random() % 8 == 0) move(to, random() % 2 == 0 ? elsewhere : facing.resources());
      }
    };
    for (int step = 0; step < 12; ++step) {
      const std::string text(1 + random() % 400, static_cast<char>('a' + step));
      facing.client.seal(text);
      up += text;
      if (random() % 4 == 0) facing.client.layer->rekey(facing.client.wire);
      deliver(facing.client, facing.server);
      facing.server.seal(text);
      down += text;
      if (random() % 6 == 0) facing.server.layer->rekey(facing.server.wire);
      deliver(facing.server, facing.client);
    }
    facing.client.layer->close(facing.client.wire);
    move(facing.client, elsewhere);
    deliver(facing.client, facing.server);
    move(facing.server, elsewhere);
    EXPECT_EQ(facing.server.received, up);
    EXPECT_EQ(facing.client.received, down);
    EXPECT_TRUE(facing.server.layer->close_received());
    facing.client.seal("behind the close");
    EXPECT_TRUE(facing.client.wire.bytes.empty());
    facing.server.layer.reset();
    facing.client.layer.reset();
    EXPECT_EQ(facing.buffers.in_use() + other_buffers.in_use(), 0u);
  }
}

// In the middle of a record, of a message, and of a plaintext that was handed out in part.
TEST(RecordImage, TakesAlongWhatIsNotWhole) {
  Facing facing;
  facing.client.seal("a record that is longer than the room");
  Buffer sealed = facing.client.wire.take();
  facing.server.open(proto::Bytes(sealed).first(3));
  move(facing.server, facing.resources());
  EXPECT_EQ(facing.server.layer->held(), 3u);
  facing.server.open(proto::Bytes(sealed).subspan(3, 20));
  move(facing.server, facing.resources());
  EXPECT_EQ(facing.server.layer->held(), 23u);
  proto::Bytes rest = proto::Bytes(sealed).subspan(23);
  Buffer window(10);
  ASSERT_EQ(facing.server.layer->open(rest, window, facing.server.wire).plaintext, 10u);
  move(facing.server, facing.resources());
  EXPECT_EQ(facing.server.layer->held(), 27u);
  facing.server.open({});
  EXPECT_EQ(facing.server.received,
            std::string("a record that is longer than the room").substr(10));

  facing.client.open(facing.server_hand.record(22, hex("0400001400000e10")));
  const std::string resumption = to_hex(facing.client.layer->resumption_secret());
  move(facing.client, facing.resources());
  EXPECT_EQ(to_hex(facing.client.layer->resumption_secret()), resumption);
  facing.client.open(facing.server_hand.record(22, hex("01020304020000000574747474740000")));
  EXPECT_EQ(facing.client.layer->take_ticket().size(), 20u);
}

TEST(RecordImage, KeepsCountingWhatItBounds) {
  Facing facing;
  for (int i = 0; i < 11; ++i) {
    facing.server.open(facing.client_hand.key_update(1));
    if (i < 10) move(facing.server, facing.resources());
  }
  EXPECT_EQ(facing.server.layer->error().reason, "too many KeyUpdate messages");
}

// Whoever could make such a one could make us use a number twice.
TEST(RecordImage, IsRefusedWithNumbersThatCannotBe) {
  constexpr std::size_t kSealingNumber = 5 + 1 + 1 + 2 + 2 + 32;
  constexpr std::size_t kOpeningNumber = kSealingNumber + 8 + 2 + 32;
  for (const std::size_t at : {std::size_t{0}, kSealingNumber, kOpeningNumber}) {
    Facing facing;
    Buffer image = image_of(facing.server);
    if (at > 0) image[at] = std::byte{0xff};
    proto::Sha256 digest;
    digest.update(proto::Bytes(image).first(image.size() - 32));
    std::ranges::copy(digest.finish(), image.end() - 32);
    EXPECT_EQ(Layer::import_from(image, facing.resources()).has_value(), at == 0) << at;
  }
}

TEST(RecordImage, IsRefusedWhenAnyByteIsOther) {
  Facing facing;
  facing.client.seal("half a record");
  facing.server.open(proto::Bytes(facing.client.wire.bytes).first(20));
  const Buffer image = image_of(facing.server);
  for (std::size_t at = 0; at < image.size(); ++at) {
    Buffer damaged = image;
    damaged[at] ^= std::byte{1};
    EXPECT_FALSE(Layer::import_from(damaged, facing.resources())) << at;
    EXPECT_EQ(damaged, Buffer(damaged.size()));
    Buffer cut(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_FALSE(Layer::import_from(cut, facing.resources())) << at;
  }
  Buffer longer = image;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(Layer::import_from(longer, facing.resources()));
  EXPECT_EQ(facing.buffers.in_use(), 0u);
}

}  // namespace
}  // namespace tls::record::test
