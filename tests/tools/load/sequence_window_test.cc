// What becomes of messages, by their numbers; and the marks that carry these.
#include "tools/load/engine/sequence_window.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tools/load/engine/mark.hh"

namespace load {
namespace {

using namespace std::chrono_literals;
using Kind = SequenceWindow::Kind;
using Time = SequenceWindow::Time;

SequenceWindow with_sent(std::uint64_t count) {
  SequenceWindow window;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto at = Time(std::chrono::seconds(i + 1));
    EXPECT_EQ(window.send(at - 1ms, at), i);
  }
  return window;
}

TEST(SequenceWindow, KnowsWhenAMessageWasDueAndSent) {
  SequenceWindow window = with_sent(3);
  const auto verdict = window.answer(1);
  EXPECT_EQ(verdict.kind, Kind::kAnswer);
  EXPECT_EQ(verdict.flight.sent, Time(2s));
  EXPECT_EQ(verdict.flight.due, Time(2s) - 1ms);
  EXPECT_EQ(window.pending(), 2u);
}

TEST(SequenceWindow, TellsReorderedDuplicateAndUnknown) {
  SequenceWindow window = with_sent(3);
  EXPECT_EQ(window.answer(2).kind, Kind::kAnswer);
  EXPECT_EQ(window.answer(0).kind, Kind::kReordered);
  EXPECT_EQ(window.answer(0).kind, Kind::kDuplicate);
  EXPECT_EQ(window.answer(2).kind, Kind::kDuplicate);
  EXPECT_EQ(window.answer(3).kind, Kind::kUnknown);
  EXPECT_EQ(window.answer(~std::uint64_t{0}).kind, Kind::kUnknown);
  EXPECT_EQ(window.pending(), 1u);
  EXPECT_EQ(window.give_up(), 1u);
  EXPECT_EQ(window.pending(), 0u);
}

TEST(SequenceWindow, GivesUpWhatManyLaterOnesHaveOvertaken) {
  SequenceWindow window = with_sent(SequenceWindow::kReorderMax + 1);
  std::uint64_t lost = 0;
  for (std::uint64_t i = 1; i < window.next() - 1; ++i) lost += window.answer(i).lost;
  EXPECT_EQ(lost, 0u);
  EXPECT_EQ(window.answer(window.next() - 1).lost, 1u);
  EXPECT_EQ(window.pending(), 0u);
}

TEST(SequenceWindow, GivesUpWhatIsTooOldAndNothingElse) {
  SequenceWindow window = with_sent(5);
  window.answer(3);
  EXPECT_EQ(window.give_up_before(Time(3s)), 2u);
  EXPECT_EQ(window.pending(), 2u);
  EXPECT_EQ(window.answer(2).kind, Kind::kReordered);
}

TEST(SequenceWindow, TakesTheOldestWhereThereAreNoNumbers) {
  SequenceWindow window = with_sent(2);
  EXPECT_EQ(window.answer_oldest().flight.sent, Time(1s));
  EXPECT_EQ(window.answer_oldest().flight.sent, Time(2s));
  EXPECT_EQ(window.answer_oldest().kind, Kind::kUnknown);
}

// Sent is answered, lost and pending at any time, and each is counted once.
TEST(SequenceWindow, AddsUpWhateverComes) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::minstd_rand random(seed);
    SequenceWindow window;
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    std::uint64_t lost = 0;
    for (unsigned step = 0; step < 2000; ++step) {
      const auto action = random() % 100;
      if (action < 45) {
        window.send(Time(std::chrono::seconds(step)), Time(std::chrono::seconds(step)));
        ++sent;
      } else if (action < 98) {
        const std::uint64_t back = random() % (action < 90 ? 8 : 600);
        const auto verdict = window.answer(sent > back ? sent - back : 0);
        answered += verdict.kind == Kind::kAnswer || verdict.kind == Kind::kReordered;
        lost += verdict.lost;
      } else {
        lost += window.give_up_before(Time(std::chrono::seconds(step - std::min(step, 50u))));
      }
      ASSERT_EQ(sent, answered + lost + window.pending()) << "seed " << seed << ", step " << step;
    }
    EXPECT_EQ(window.next(), sent);
  }
}

TEST(Mark, GoesThereAndBack) {
  for (const bool text : {false, true}) {
    const Mark mark{.connection = 0x0000'9123'4567'89ab,
                    .number = 0x0000'fedc'ba98'7654,
                    .time = Time(123'456'789us)};
    const auto bytes = encode_mark(mark, text);
    const auto whole = decode_mark(bytes, text);
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->connection, mark.connection);
    EXPECT_EQ(whole->number, mark.number);
    EXPECT_EQ(whole->time, mark.time);
    const auto without_time = decode_mark(proto::Bytes(bytes).first(kMarkBytesMin), text);
    ASSERT_TRUE(without_time);
    EXPECT_EQ(without_time->number, mark.number);
    EXPECT_FALSE(without_time->time);
    EXPECT_FALSE(decode_mark(proto::Bytes(bytes).first(kMarkBytesMin - 1), text));
  }
}

TEST(Mark, OfAnyBytesIsNoneOrOne) {
  std::mt19937 random(1);
  std::array<std::byte, kMarkBytesMax> bytes;
  for (int i = 0; i < 1000; ++i) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    decode_mark(bytes, true);
    ASSERT_TRUE(decode_mark(bytes, false));
  }
  bytes.fill(std::byte{'0' - 1});
  EXPECT_FALSE(decode_mark(bytes, true));
}

TEST(Mark, IsPrintableInATextWithoutQuotes) {
  const auto bytes = encode_mark({~std::uint64_t{0}, 1, Time(1s)}, true);
  for (const std::byte byte : bytes) {
    EXPECT_GE(std::to_integer<char>(byte), '0');
    EXPECT_LE(std::to_integer<char>(byte), 'o');
  }
}

}  // namespace
}  // namespace load
