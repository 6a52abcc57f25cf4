// What becomes of messages, by their numbers; and the marks that carry these.
#include "tools/load/engine/sequence_window.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "tools/common/mark.hh"

namespace load {
namespace {

using tools::decode_mark;
using tools::encode_mark;
using tools::kMarkBytesMax;
using tools::kMarkBytesMin;
using tools::Mark;

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

TEST(SequenceWindow, TellsWhatIsPendingSinceBefore) {
  SequenceWindow window = with_sent(5);
  window.answer(1);
  const auto pending_before = [&window](Time time) {
    std::vector<std::uint64_t> numbers;
    window.each_pending_before(time, [&](const auto& flight) { numbers.push_back(flight.number); });
    return numbers;
  };
  EXPECT_EQ(pending_before(Time(1s)), std::vector<std::uint64_t>{});
  EXPECT_EQ(pending_before(Time(4s)), (std::vector<std::uint64_t>{0, 2}));
  EXPECT_EQ(pending_before(Time::max()), (std::vector<std::uint64_t>{0, 2, 3, 4}));
  EXPECT_EQ(window.pending(), 4u);
}

TEST(SequenceWindow, WaitsForOneThatAnyNumberOfLaterOnesHaveOvertaken) {
  constexpr std::uint64_t kCount = 100'000;
  SequenceWindow window = with_sent(1);
  for (std::uint64_t i = 1; i < kCount; ++i) {
    const Time at = Time(std::chrono::seconds(i + 1));
    ASSERT_EQ(window.send(at, at), i);
    ASSERT_EQ(window.answer(i).kind, Kind::kAnswer);
    ASSERT_EQ(window.pending(), 1u);
  }
  EXPECT_EQ(window.answer(kCount / 2).kind, Kind::kDuplicate);
  const auto verdict = window.answer(0);
  EXPECT_EQ(verdict.kind, Kind::kReordered);
  EXPECT_EQ(verdict.flight.sent, Time(1s));
  EXPECT_EQ(window.pending(), 0u);
}

TEST(SequenceWindow, TellsLateFromDuplicateAmongLostOnes) {
  SequenceWindow window = with_sent(9);
  EXPECT_EQ(window.answer(3).kind, Kind::kAnswer);
  EXPECT_EQ(window.answer(6).kind, Kind::kAnswer);
  EXPECT_EQ(window.give_up_before(Time(9s)), 6u);
  EXPECT_EQ(window.pending(), 1u);
  for (const std::uint64_t number : {4u, 0u, 2u, 7u, 1u, 5u}) {
    EXPECT_EQ(window.answer(number).kind, Kind::kLate) << number;
  }
  for (std::uint64_t number = 0; number < 8; ++number) {
    EXPECT_EQ(window.answer(number).kind, Kind::kDuplicate) << number;
  }
  EXPECT_EQ(window.answer(8).kind, Kind::kAnswer);
}

TEST(SequenceWindow, TakesAnswersToWhatItHasForgottenForLate) {
  SequenceWindow window = with_sent(0);
  for (std::uint64_t i = 0; i < 4 * SequenceWindow::kRunsMax; ++i) {
    window.send(Time(1s), Time(1s));
    if (i % 2 == 1) window.answer(i);
  }
  EXPECT_EQ(window.give_up(), 2 * SequenceWindow::kRunsMax);
  EXPECT_EQ(window.answer(0).kind, Kind::kLate);
  const std::uint64_t newest = window.next() - 2;
  EXPECT_EQ(window.answer(newest + 1).kind, Kind::kDuplicate);
  EXPECT_EQ(window.answer(newest).kind, Kind::kLate);
  EXPECT_EQ(window.answer(newest).kind, Kind::kDuplicate);
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

// As a table of all numbers has it. Sent is answered, lost and pending at any time.
TEST(SequenceWindow, AddsUpWhateverComes) {
  enum class State : std::uint8_t { kPending, kAnswered, kLost };
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::minstd_rand random(seed);
    SequenceWindow window;
    std::vector<State> states;
    std::vector<unsigned> sent_at;
    for (unsigned step = 0; step < 2000; ++step) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", step " << step);
      const auto action = random() % 100;
      if (action < 45) {
        window.send(Time(std::chrono::seconds(step)), Time(std::chrono::seconds(step)));
        states.push_back(State::kPending);
        sent_at.push_back(step);
      } else if (action < 98) {
        const std::uint64_t back = random() % (action < 90 ? 8 : 600);
        const std::uint64_t number = states.size() > back ? states.size() - back : 0;
        const Kind kind = window.answer(number).kind;
        if (number >= states.size()) {
          ASSERT_EQ(kind, Kind::kUnknown);
          continue;
        }
        const State was = std::exchange(states[number], State::kAnswered);
        ASSERT_EQ(kind == Kind::kAnswer || kind == Kind::kReordered, was == State::kPending);
        ASSERT_EQ(kind == Kind::kLate, was == State::kLost);
      } else {
        const unsigned before = step - std::min(step, 50u);
        std::uint64_t lost = 0;
        for (std::size_t i = 0; i < states.size() && sent_at[i] < before; ++i) {
          if (states[i] != State::kPending) continue;
          states[i] = State::kLost;
          ++lost;
        }
        ASSERT_EQ(window.give_up_before(Time(std::chrono::seconds(before))), lost);
      }
      const auto pending = std::ranges::count(states, State::kPending);
      ASSERT_EQ(window.pending(), static_cast<std::uint64_t>(pending));
    }
    EXPECT_EQ(window.next(), states.size());
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
