#include "gateway/upstream/server_health.hh"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Admission = ServerHealth::Admission;
using Change = ServerHealth::Change;

constexpr ServerHealth::Time kStart{std::chrono::hours(1000)};
const config::Ejection kTerms{};
const config::HealthCheck kCheck{.fall = 3, .rise = 2};

// As the pool does with what is to be ejected.
uring::Clock::duration fail(ServerHealth& health, ServerHealth::Time now, bool trial = false,
                            const config::Ejection& terms = kTerms) {
  return health.note_failure(terms, now, trial) ? health.eject(terms, now, trial)
                                                : uring::Clock::duration{};
}

TEST(ServerHealth, IsEjectedByFailuresInARow) {
  ServerHealth health;
  EXPECT_EQ(fail(health, kStart).count(), 0);
  EXPECT_EQ(fail(health, kStart).count(), 0);
  EXPECT_TRUE(health.takes(kStart));
  EXPECT_EQ(fail(health, kStart), seconds(10));
  EXPECT_FALSE(health.takes(kStart));
  EXPECT_EQ(health.admit(kStart, seconds(1)), Admission::kRefused);
  EXPECT_STREQ(health.word(), "ejected");
  EXPECT_EQ(health.ejections(), 1u);
}

TEST(ServerHealth, ForgetsFailuresBehindASuccess) {
  ServerHealth health;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(fail(health, kStart).count(), 0);
    EXPECT_EQ(fail(health, kStart).count(), 0);
    EXPECT_FALSE(health.note_success(kTerms, kStart, false));
  }
  EXPECT_TRUE(health.takes(kStart));
}

TEST(ServerHealth, IsTriedByOneRequestBehindAnEjection) {
  ServerHealth health;
  for (int i = 0; i < 3; ++i) fail(health, kStart);
  const auto over = kStart + seconds(10);
  EXPECT_FALSE(health.takes(over - milliseconds(1)));
  EXPECT_TRUE(health.takes(over));
  EXPECT_EQ(health.admit(over, seconds(2)), Admission::kTrial);
  EXPECT_FALSE(health.takes(over));
  EXPECT_EQ(health.admit(over, seconds(2)), Admission::kRefused);
  EXPECT_TRUE(health.note_success(kTerms, over + seconds(1), true));
  EXPECT_TRUE(health.takes(over));
  EXPECT_EQ(health.came_at(), over + seconds(1));
  EXPECT_EQ(health.admit(over, seconds(2)), Admission::kUsual);
}

TEST(ServerHealth, GetsAnotherTrialWhereTheFirstHasNoOutcome) {
  ServerHealth health;
  for (int i = 0; i < 3; ++i) fail(health, kStart);
  const auto over = kStart + seconds(10);
  EXPECT_EQ(health.admit(over, seconds(2)), Admission::kTrial);
  EXPECT_EQ(health.admit(over + seconds(2), seconds(2)), Admission::kTrial);
}

TEST(ServerHealth, GetsAnotherTrialWhereTheFirstIsAbandoned) {
  ServerHealth health;
  for (int i = 0; i < 3; ++i) fail(health, kStart);
  const auto over = kStart + seconds(10);
  EXPECT_EQ(health.admit(over, seconds(60)), Admission::kTrial);
  EXPECT_FALSE(health.takes(over));
  health.abandon_trial(over + seconds(60));
  EXPECT_EQ(health.admit(over, seconds(60)), Admission::kTrial);
  EXPECT_EQ(health.admit(over, seconds(60)), Admission::kRefused);
}

TEST(ServerHealth, StaysEjectedWhereATrialFromBeforeIsAbandoned) {
  ServerHealth health;
  for (int i = 0; i < 3; ++i) fail(health, kStart);
  const auto over = kStart + seconds(10);
  EXPECT_EQ(health.admit(over, seconds(2)), Admission::kTrial);
  EXPECT_EQ(health.admit(over + seconds(2), seconds(2)), Admission::kTrial);
  EXPECT_EQ(fail(health, over + seconds(2), true), seconds(20));
  health.abandon_trial(over + seconds(2));
  EXPECT_FALSE(health.takes(over + seconds(3)));
}

TEST(ServerHealth, IsEjectedForLongerEachTimeThatATrialFails) {
  ServerHealth health;
  for (int i = 0; i < 3; ++i) fail(health, kStart);
  auto now = kStart + seconds(10);
  std::vector<uring::Clock::duration> times;
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(health.admit(now, seconds(1)), Admission::kTrial);
    times.push_back(fail(health, now, true));
    EXPECT_FALSE(health.takes(now + times.back() - milliseconds(1)));
    now += times.back();
  }
  EXPECT_EQ(times, (std::vector<uring::Clock::duration>{seconds(20), seconds(40), seconds(80),
                                                        seconds(160), seconds(300), seconds(300)}));
  // Whoever has been well for as long begins anew.
  ASSERT_EQ(health.admit(now, seconds(1)), Admission::kTrial);
  EXPECT_TRUE(health.note_success(kTerms, now, true));
  now += seconds(300);
  fail(health, now);
  fail(health, now);
  EXPECT_EQ(fail(health, now), seconds(10));
}

TEST(ServerHealth, CountsATrialAsAnyOtherWhereACheckHasEndedTheEjection) {
  ServerHealth health;
  for (int i = 0; i < 3; ++i) fail(health, kStart);
  const auto over = kStart + seconds(10);
  EXPECT_EQ(health.admit(over, seconds(2)), Admission::kTrial);
  EXPECT_TRUE(health.end_ejection(over));
  EXPECT_EQ(fail(health, over, true).count(), 0);
  EXPECT_TRUE(health.is_up());
}

TEST(ServerHealth, TakesNothingFromRequestsThatBeganBeforeItsEjection) {
  ServerHealth health;
  for (int i = 0; i < 3; ++i) fail(health, kStart);
  EXPECT_FALSE(health.note_success(kTerms, kStart, false));
  EXPECT_FALSE(health.note_failure(kTerms, kStart, false));
  EXPECT_FALSE(health.takes(kStart + seconds(9)));
}

TEST(ServerHealth, IsEjectedByARateOnlyAmongEnoughRequests) {
  const config::Ejection terms{.in_a_row = 0, .rate = 50, .requests_min = 10};
  ServerHealth health;
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(health.note_failure(terms, kStart, false));
    health.note_success(terms, kStart, false);
  }
  EXPECT_FALSE(health.note_failure(terms, kStart, false)) << "the ninth";
  EXPECT_TRUE(health.note_failure(terms, kStart, false)) << "the tenth, six of which failed";
  EXPECT_FALSE(health.note_failure(terms, kStart + seconds(10), false)) << "another window";
}

TEST(ServerHealth, IsNeverEjectedWhereThatIsOff) {
  const config::Ejection terms{.in_a_row = 0};
  ServerHealth health;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(health.note_failure(terms, kStart, i % 2 == 0));
}

TEST(ServerHealth, FallsAndRisesByChecksInARow) {
  ServerHealth health;
  EXPECT_EQ(health.note_check(true, kCheck, kStart), Change::kNone);
  EXPECT_EQ(health.note_check(false, kCheck, kStart), Change::kNone);
  EXPECT_EQ(health.note_check(false, kCheck, kStart), Change::kNone);
  EXPECT_EQ(health.note_check(true, kCheck, kStart), Change::kNone);
  EXPECT_EQ(health.note_check(false, kCheck, kStart), Change::kNone);
  EXPECT_EQ(health.note_check(false, kCheck, kStart), Change::kNone);
  EXPECT_EQ(health.note_check(false, kCheck, kStart), Change::kDown);
  EXPECT_EQ(health.note_check(false, kCheck, kStart), Change::kNone);
  EXPECT_FALSE(health.takes(kStart + std::chrono::hours(1)));
  EXPECT_EQ(health.note_check(true, kCheck, kStart), Change::kNone);
  EXPECT_EQ(health.note_check(true, kCheck, kStart + seconds(1)), Change::kUp);
  EXPECT_TRUE(health.takes(kStart));
  EXPECT_EQ(health.came_at(), kStart + seconds(1));
  EXPECT_EQ(health.downs(), 1u);
}

TEST(ServerHealth, IsDecidedByTheFirstCheckAlone) {
  ServerHealth failing;
  EXPECT_EQ(failing.note_check(false, kCheck, kStart), Change::kDown);
  ServerHealth passing;
  EXPECT_TRUE(passing.note_known(true));
  EXPECT_FALSE(passing.takes(kStart));
  EXPECT_EQ(passing.note_check(true, kCheck, kStart), Change::kUp);
  EXPECT_TRUE(passing.takes(kStart));
}

TEST(ServerHealth, BeginsDownOnlyWhereItIsNew) {
  ServerHealth health;
  EXPECT_FALSE(health.note_known(false));
  EXPECT_FALSE(health.note_known(true)) << "it serves";
  EXPECT_TRUE(health.takes(kStart));
}

TEST(ServerHealth, EndsAnEjectionWhenItsChecksPassAgain) {
  ServerHealth health;
  for (int i = 0; i < 3; ++i) fail(health, kStart);
  EXPECT_EQ(health.note_check(true, kCheck, kStart), Change::kNone);
  EXPECT_FALSE(health.takes(kStart)) << "its checks have never failed";
  for (int i = 0; i < 3; ++i) health.note_check(false, kCheck, kStart);
  for (int i = 0; i < 2; ++i) health.note_check(true, kCheck, kStart);
  EXPECT_TRUE(health.takes(kStart));
}

TEST(ServerHealth, LeavesForATimeOrUntilACheckPasses) {
  ServerHealth health;
  EXPECT_TRUE(health.note_leaving(kStart + seconds(30)));
  EXPECT_FALSE(health.note_leaving(kStart + seconds(31))) << "no news";
  EXPECT_FALSE(health.takes(kStart + seconds(30)));
  EXPECT_EQ(health.note_check(true, kCheck, kStart), Change::kNone);
  EXPECT_FALSE(health.takes(kStart + seconds(30))) << "requests said so, not checks";
  EXPECT_EQ(health.admit(kStart + seconds(31), seconds(1)), Admission::kReturned);
  EXPECT_EQ(health.admit(kStart + seconds(31), seconds(1)), Admission::kUsual);
  EXPECT_TRUE(health.note_leaving(ServerHealth::Time::max()));
  EXPECT_FALSE(health.takes(kStart + std::chrono::hours(100)));
  EXPECT_EQ(health.note_check(true, kCheck, kStart), Change::kUp);
  EXPECT_TRUE(health.takes(kStart));
}

TEST(ServerHealth, ForgetsWhatChecksSaidOnceThereAreNone) {
  ServerHealth health;
  EXPECT_TRUE(health.note_leaving(ServerHealth::Time::max()));
  EXPECT_TRUE(health.end_checks(kStart));
  EXPECT_TRUE(health.takes(kStart));
  EXPECT_FALSE(health.end_checks(kStart)) << "no news";
  EXPECT_TRUE(health.note_leaving(kStart + seconds(30)));
  EXPECT_FALSE(health.end_checks(kStart));
  EXPECT_FALSE(health.takes(kStart)) << "requests said so";
}

TEST(ServerHealth, TellsEachChangeOnceWhoeverMakesIt) {
  ServerHealth health;
  std::atomic<int> told{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 1000; ++round) {
        if (health.note_leaving(kStart + seconds(round))) told.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(told.load(), 1);
}

TEST(ServerHealth, HasOneTrialWhoeverAsks) {
  ServerHealth health;
  for (int i = 0; i < 3; ++i) fail(health, kStart);
  std::atomic<int> trials{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        const auto admission = health.admit(kStart + seconds(10), seconds(1));
        if (admission == Admission::kTrial) trials.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(trials.load(), 1);
}

}  // namespace
}  // namespace gateway
