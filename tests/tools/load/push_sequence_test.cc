// What is known of numbers that a server pushes.
#include "tools/load/engine/push_sequence.hh"

#include <gtest/gtest.h>

namespace load {
namespace {

using namespace std::chrono_literals;
using Kind = PushSequence::Kind;
using Time = PushSequence::Time;

constexpr Time kBegin{1h};

TEST(PushSequence, InItsOrderMissesNothing) {
  PushSequence sequence;
  for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(sequence.take(i, kBegin), Kind::kNext);
  EXPECT_EQ(sequence.give_up(), 0u);
}

TEST(PushSequence, BeginsWithZero) {
  PushSequence sequence;
  EXPECT_EQ(sequence.take(2, kBegin), Kind::kNext);
  EXPECT_EQ(sequence.give_up(), 2u);
  PushSequence later;
  later.begin_anywhere();
  EXPECT_EQ(later.take(2, kBegin), Kind::kNext);
  EXPECT_EQ(later.take(4, kBegin), Kind::kNext);
  EXPECT_EQ(later.take(1, kBegin), Kind::kLate);
  EXPECT_EQ(later.give_up(), 1u);
}

TEST(PushSequence, TellsWhatComesOutOfTurnFromWhatComesTwice) {
  PushSequence sequence;
  EXPECT_EQ(sequence.take(5, kBegin), Kind::kNext);
  EXPECT_EQ(sequence.take(2, kBegin), Kind::kReordered);
  EXPECT_EQ(sequence.take(2, kBegin), Kind::kDuplicate);
  EXPECT_EQ(sequence.take(5, kBegin), Kind::kDuplicate);
  EXPECT_EQ(sequence.take(0, kBegin), Kind::kReordered);
  EXPECT_EQ(sequence.take(4, kBegin), Kind::kReordered);
  EXPECT_EQ(sequence.give_up(), 2u);  // 1 and 3
  EXPECT_EQ(sequence.take(3, kBegin), Kind::kLate);
  EXPECT_EQ(sequence.take(3, kBegin), Kind::kDuplicate);
  EXPECT_EQ(sequence.give_up(), 0u);
}

TEST(PushSequence, AwaitsEachMissingOneForItsTime) {
  PushSequence sequence;
  sequence.take(1, kBegin);
  sequence.take(3, kBegin + 2s);
  EXPECT_EQ(sequence.give_up_before(kBegin), 0u);
  EXPECT_EQ(sequence.give_up_before(kBegin + 1s), 1u);
  EXPECT_EQ(sequence.give_up_before(kBegin + 2s), 0u);
  EXPECT_EQ(sequence.take(2, kBegin + 2s), Kind::kReordered);
  EXPECT_EQ(sequence.give_up(), 0u);
}

TEST(PushSequence, BelievesNoAbsurdNumber) {
  PushSequence sequence;
  EXPECT_EQ(sequence.take(~std::uint64_t{0}, kBegin), Kind::kAstray);
  EXPECT_EQ(sequence.take(0, kBegin), Kind::kNext);
  EXPECT_EQ(sequence.take(1 + PushSequence::kGapMax, kBegin), Kind::kNext);
  EXPECT_EQ(sequence.give_up(), PushSequence::kGapMax);
}

TEST(PushSequence, CountsLossesBeyondWhatItRemembers) {
  PushSequence sequence;
  constexpr std::uint64_t kGaps = 4 * PushSequence::kRunsMax;
  for (std::uint64_t i = 0; i < kGaps; ++i) sequence.take(2 * i + 1, kBegin);
  EXPECT_EQ(sequence.give_up_before(kBegin), kGaps - PushSequence::kRunsMax);
  EXPECT_EQ(sequence.take(2 * kGaps - 2, kBegin), Kind::kReordered);
  EXPECT_EQ(sequence.give_up(), PushSequence::kRunsMax - 1);
  EXPECT_EQ(sequence.take(0, kBegin), Kind::kLate);
  EXPECT_EQ(sequence.take(2 * kGaps - 4, kBegin), Kind::kLate);
  EXPECT_EQ(sequence.take(2 * kGaps - 4, kBegin), Kind::kDuplicate);
}

TEST(PushSequence, StaysExactWhereOneGapIsFilledBitByBit) {
  PushSequence sequence;
  constexpr std::uint64_t kWide = 8 * PushSequence::kRunsMax;
  sequence.take(kWide, kBegin);
  std::uint64_t reordered = 0;
  std::uint64_t late = 0;
  for (std::uint64_t i = 1; i < kWide; i += 2) {
    const Kind kind = sequence.take(i, kBegin);
    reordered += kind == Kind::kReordered ? 1 : 0;
    late += kind == Kind::kLate ? 1 : 0;
  }
  EXPECT_EQ(reordered + late, kWide / 2);
  EXPECT_EQ(sequence.give_up(), kWide - reordered);
}

}  // namespace
}  // namespace load
