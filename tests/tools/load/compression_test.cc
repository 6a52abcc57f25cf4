// permessage-deflate of a connection that loads: what it sends can be inflated within the agreed
// window, what comes is inflated however it is cut, and nothing is held between messages.
#include "tools/load/engine/compression.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

namespace load {
namespace {

using State = ws::CodecStep::State;
using Buffer = std::vector<std::byte>;

constexpr std::uint64_t kMost = 1 << 20;

// Not repeated within any window, but with something to gain.
Buffer message_of(std::size_t size) {
  Buffer message(size);
  std::uint32_t state = 12345;
  for (std::byte& byte : message) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>('a' + (state >> 28));
  }
  return message;
}

Buffer deflated(Compression& compression, proto::Bytes message, std::size_t room) {
  Buffer made;
  EXPECT_TRUE(compression.begin_message(message.size()));
  while (compression.is_deflating()) {
    Buffer part(room);
    const ws::CodecStep step =
        compression.deflate(message.first(std::min<std::size_t>(message.size(), 1000)), part);
    EXPECT_NE(step.state, State::kBroken);
    message = message.subspan(step.taken);
    made.insert(made.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(step.made));
  }
  return made;
}

// The message, or the fault's close code.
struct Inflated {
  Buffer message;
  int fault = 0;
  int firsts = 0;
};

Inflated inflated(Compression& compression, proto::Bytes payload, std::size_t part_bytes) {
  Inflated all;
  for (;;) {
    proto::Bytes part = payload.first(std::min(part_bytes, payload.size()));
    payload = payload.subspan(part.size());
    for (;;) {
      const auto piece = compression.inflate(part, payload.empty());
      if (!piece) {
        all.fault = piece.error().close_code;
        return all;
      }
      const bool yields = !piece->bytes.empty() || piece->last;
      if (yields && piece->first) ++all.firsts;
      all.message.insert(all.message.end(), piece->bytes.begin(), piece->bytes.end());
      if (piece->last) return all;
      if (piece->hungry) break;
    }
  }
}

TEST(Compression, SendsWhatTheAgreedWindowCanRead) {
  for (const std::uint8_t bits : std::initializer_list<std::uint8_t>{0, 8, 9, 12, 15}) {
    for (const std::size_t size : {0u, 1u, 64u, 256u, 257u, 5000u, 100'000u}) {
      Codecs codecs(ws::kCodecMemoryUnbounded);
      Compression compression(codecs, {.client_max_window_bits = bits}, kMost);
      const Buffer message = message_of(size);
      if (bits == 8 && size > 256) {
        EXPECT_FALSE(compression.begin_message(size));
        continue;
      }
      for (const std::size_t room : {1u, 100u, 70'000u}) {
        const Buffer payload = deflated(compression, message, room);
        if (size >= 256) {
          EXPECT_LT(payload.size(), size * 3 / 4);
        }
        // The answer's window is that of the side that reads here.
        Compression peer(
            codecs, {.server_no_context_takeover = true, .server_max_window_bits = bits}, kMost);
        EXPECT_EQ(inflated(peer, payload, payload.size()).message, message) << int{bits};
        EXPECT_EQ(codecs.pool.lent_bytes(), 0u);
      }
    }
  }
}

TEST(Compression, InflatesHoweverAMessageIsCut) {
  Codecs codecs(ws::kCodecMemoryUnbounded);
  Compression compression(codecs, {.server_no_context_takeover = true}, kMost);
  for (const std::size_t size : {0u, 1u, 64u, 100'000u}) {
    const Buffer message = message_of(size);
    const Buffer payload = deflated(compression, message, 70'000);
    for (const std::size_t part : {1u, 7u, 70'000u}) {
      const Inflated all = inflated(compression, payload, part);
      EXPECT_EQ(all.message, message) << size << " in parts of " << part;
      EXPECT_EQ(all.firsts, 1);
    }
  }
  EXPECT_EQ(codecs.pool.lent_bytes(), 0u);
}

TEST(Compression, KeepsTheContextOfAServerThatKeepsIt) {
  Codecs codecs(ws::kCodecMemoryUnbounded);
  {
    Compression compression(codecs, {}, kMost);
    ws::Deflater server(1, 15);
    const Buffer message = message_of(1000);
    std::size_t sizes[2] = {};
    for (std::size_t& size : sizes) {
      Buffer payload(4000);
      size = server.step(message, payload).made;
      size += server.finish(proto::MutableBytes(payload).subspan(size)).made;
      EXPECT_EQ(inflated(compression, proto::Bytes(payload).first(size), size).message, message);
      EXPECT_GT(codecs.pool.lent_bytes(), 0u);
    }
    // The second one says little more than that it is the first again.
    EXPECT_LT(sizes[1], sizes[0] / 10);
  }
  EXPECT_EQ(codecs.pool.lent_bytes(), 0u);
}

TEST(Compression, EndsWhatIsTooLargeOrIsNoDeflate) {
  Codecs codecs(ws::kCodecMemoryUnbounded);
  const Buffer zeros(kMost + 1);
  Compression sender(codecs, {}, kMost);
  const Buffer fits = deflated(sender, proto::Bytes(zeros).first(kMost), 70'000);
  const Buffer bomb = deflated(sender, zeros, 70'000);
  Compression compression(codecs, {.server_no_context_takeover = true}, kMost);
  EXPECT_EQ(inflated(compression, fits, 100).message.size(), kMost);
  const Inflated all = inflated(compression, bomb, 100);
  EXPECT_EQ(all.fault, 1009);
  EXPECT_LE(all.message.size(), kMost);
  Compression other(codecs, {}, kMost);
  EXPECT_EQ(inflated(other, Buffer(10, std::byte{0xff}), 10).fault, 1007);
  Compression third(codecs, {}, kMost);
  EXPECT_EQ(inflated(third, proto::Bytes(fits).first(50), 50).fault, 1007) << "it has no end";
}

TEST(Compression, GoesPlainAndEndsWhatComesWhereThereIsNoMemory) {
  Codecs codecs(1000);
  Compression compression(codecs, {}, kMost);
  EXPECT_FALSE(compression.begin_message(64));
  EXPECT_FALSE(compression.is_deflating());
  EXPECT_EQ(inflated(compression, Buffer(10), 10).fault, 1011);
}

}  // namespace
}  // namespace load
