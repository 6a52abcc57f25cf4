// Codecs that are lent: within the budget, kept for the next one, and without a trace of the last.
#include "proto/ws/codec_pool.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proto/ws/frame_bytes.hh"

namespace {

using proto::as_bytes;
using ws::CodecPool;
using ws::CodecStep;
using ws::Deflater;
using ws::Inflater;
using ws::Lease;
using ws_test::Buffer;
using ws_test::hex;
using State = CodecStep::State;

const std::size_t kDeflaterBytes = Deflater(6, 15).memory_bytes();
const std::size_t kInflaterBytes = Inflater(15).memory_bytes();

// What one message gives, which is short.
template <class Codec>
std::string convert(Codec& codec, proto::Bytes input) {
  Buffer output(1000);
  const CodecStep begun = codec.step(input, output);
  if (begun.state == State::kBroken) return "broken";
  const CodecStep ended = codec.finish(std::span(output).subspan(begun.made));
  if (ended.state != State::kDone) return "broken";
  return ws_test::text(proto::Bytes(output).first(begun.made + ended.made));
}

TEST(WsCodecPool, LendsUpToItsBudgetAndNoFurther) {
  for (const std::size_t spare : {std::size_t{0}, kDeflaterBytes - 1}) {
    const std::size_t budget = 3 * kDeflaterBytes + spare;
    CodecPool pool(budget);
    std::vector<Lease<Deflater>> leases;
    while (Lease<Deflater> lease = pool.deflater(6, 15)) {
      leases.push_back(std::move(lease));
      ASSERT_LE(leases.size(), 3u);
      EXPECT_EQ(pool.memory_bytes(), leases.size() * kDeflaterBytes);
    }
    EXPECT_EQ(leases.size(), 3u);
    leases.pop_back();
    EXPECT_TRUE(pool.deflater(6, 15));
    leases.push_back(pool.deflater(6, 15));
    EXPECT_TRUE(leases.back());
    EXPECT_FALSE(pool.deflater(6, 15));
    EXPECT_LE(pool.memory_bytes(), budget);
  }
}

TEST(WsCodecPool, HasNothingWithoutABudget) {
  for (const std::size_t budget : {std::size_t{0}, std::size_t{1}, kInflaterBytes - 1}) {
    CodecPool pool(budget);
    for (int again = 0; again < 2; ++again) {
      EXPECT_FALSE(pool.inflater(15));
      EXPECT_FALSE(pool.deflater(1, 15));
      EXPECT_EQ(pool.memory_bytes(), 0u);
    }
  }
}

TEST(WsCodecPool, LendsWhatCameBack) {
  CodecPool pool(10 * kDeflaterBytes);
  const Deflater* const first = pool.deflater(6, 15).get();
  EXPECT_EQ(pool.memory_bytes(), kDeflaterBytes);
  const Lease<Deflater> again = pool.deflater(6, 15);
  EXPECT_EQ(again.get(), first);
  EXPECT_EQ(pool.memory_bytes(), kDeflaterBytes);
  const Lease<Deflater> other_level = pool.deflater(1, 15);
  const Lease<Deflater> other_window = pool.deflater(6, 9);
  EXPECT_EQ(other_level->level(), 1);
  EXPECT_EQ(other_window->window_bits(), 9);
}

TEST(WsCodecPool, KeepsAFewOfAKind) {
  CodecPool pool(100 * kInflaterBytes);
  {
    std::vector<Lease<Inflater>> leases;
    for (int i = 0; i < 50; ++i) leases.push_back(pool.inflater(15));
    EXPECT_EQ(pool.memory_bytes(), 50 * kInflaterBytes);
  }
  EXPECT_EQ(pool.memory_bytes(), CodecPool::kIdleMax * kInflaterBytes);
}

// Idle ones of each kind fill the budget; one that none of them can be gets in.
TEST(WsCodecPool, FreesWhatIsIdleForWhoNeedsTheRoom) {
  CodecPool pool(2 * kDeflaterBytes);
  {
    std::vector<Lease<Inflater>> leases;
    while (leases.size() < CodecPool::kIdleMax) leases.push_back(pool.inflater(15));
    leases.push_back(pool.inflater(9));
  }
  pool.deflater(9, 15);
  EXPECT_GT(pool.memory_bytes(), kDeflaterBytes);
  const Lease<Deflater> first = pool.deflater(6, 15);
  const Lease<Deflater> second = pool.deflater(1, 15);
  EXPECT_TRUE(first && second);
  EXPECT_EQ(pool.memory_bytes(), 2 * kDeflaterBytes);
  EXPECT_FALSE(pool.inflater(9));
}

TEST(WsCodecPool, LendsNothingOfTheLastOnesMessages) {
  CodecPool pool(kDeflaterBytes + kInflaterBytes);
  const Buffer hello = hex("f2 48 cd c9 c9 07 00");
  const Buffer hello_again = hex("f2 00 11 00 00");
  for (const Buffer& last : {hello, Buffer(hello.begin(), hello.end() - 2), hex("06")}) {
    const Lease<Inflater> inflater = pool.inflater(15);
    EXPECT_EQ(convert(*inflater, hello_again), "broken");
    inflater->reset();
    EXPECT_EQ(convert(*inflater, hello), "Hello");
    EXPECT_EQ(convert(*inflater, last), last == hello ? "Hello" : "broken");
  }
  for (int again = 0; again < 2; ++again) {
    const Lease<Deflater> deflater = pool.deflater(6, 15);
    EXPECT_EQ(convert(*deflater, as_bytes("Hello")), ws_test::text(hello));
    EXPECT_EQ(convert(*deflater, as_bytes("Hello")), ws_test::text(hello_again));
    Buffer output(2);
    EXPECT_EQ(deflater->finish(std::span(output).first(0)).state, State::kFull);
  }
}

TEST(WsCodecPool, GivesALeaseToItsNewOwner) {
  CodecPool pool(2 * kInflaterBytes);
  Lease<Inflater> first = pool.inflater(15);
  Inflater* const lent = first.get();
  Lease<Inflater> second = std::move(first);
  EXPECT_EQ(second.get(), lent);
  EXPECT_FALSE(first);  // NOLINT: null is what it is to be
  Lease<Inflater> third = pool.inflater(15);
  EXPECT_FALSE(pool.inflater(15));
  third = std::move(second);  // what it had goes back
  EXPECT_EQ(third.get(), lent);
  const Lease<Inflater> fourth = pool.inflater(15);
  EXPECT_TRUE(fourth);
  EXPECT_NE(fourth.get(), lent);
  third = {};
  EXPECT_EQ(pool.inflater(15).get(), lent);
}

}  // namespace
