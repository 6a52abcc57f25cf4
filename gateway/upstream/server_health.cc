#include "gateway/upstream/server_health.hh"

#include <algorithm>
#include <utility>

namespace gateway {
namespace {

using uring::Clock;

// A window's number and its two counts in one word, so that all change at once.
struct Window {
  static constexpr unsigned kCountBits = 20;
  static constexpr std::uint64_t kCountMax = (std::uint64_t{1} << kCountBits) - 1;

  std::uint64_t number;
  std::uint64_t requests;
  std::uint64_t failures;

  static Window of(std::uint64_t word) {
    return {word >> (2 * kCountBits), (word >> kCountBits) & kCountMax, word & kCountMax};
  }
  std::uint64_t word() const {
    return number << (2 * kCountBits) | requests << kCountBits | failures;
  }
};

std::int64_t ticks(ServerHealth::Time time) {
  return time.time_since_epoch().count();
}

}  // namespace

bool ServerHealth::may_be_tried(std::uint32_t flags, Time now) const {
  if ((flags & kDown) != 0) return false;
  if ((flags & kEjected) != 0 && ticks(now) < ejected_until_.load(kRelaxed)) return false;
  return (flags & kLeaving) == 0 || ticks(now) >= leaving_until_.load(kRelaxed);
}

ServerHealth::Admission ServerHealth::admit(Time now, Clock::duration trial_time) {
  const std::uint32_t flags = flags_.load(kRelaxed);
  if (flags == 0) return Admission::kUsual;
  if (!may_be_tried(flags, now)) return Admission::kRefused;
  const bool returns = (flags & kLeaving) != 0 && clear(kLeaving, now);
  if ((flags & kEjected) == 0) return returns ? Admission::kReturned : Admission::kUsual;
  std::int64_t until = ejected_until_.load(kRelaxed);
  if (ticks(now) < until) return Admission::kRefused;
  const bool is_first = ejected_until_.compare_exchange_strong(until, ticks(now + trial_time));
  return is_first ? Admission::kTrial : Admission::kRefused;
}

void ServerHealth::abandon_trial(Time until) {
  std::int64_t its = until.time_since_epoch().count();
  ejected_until_.compare_exchange_strong(its, 0);
}

const char* ServerHealth::word() const {
  const std::uint32_t flags = flags_.load(kRelaxed);
  if ((flags & kDown) != 0) return "down";
  if ((flags & kEjected) != 0) return "ejected";
  return (flags & kLeaving) != 0 ? "leaving" : "up";
}

// What began before an ejection says nothing of what comes behind it.
bool ServerHealth::note_failure(const config::Ejection& terms, Time now, bool trial) {
  if (!terms.is_on()) return false;
  // Its ejection may have been ended meanwhile, by a check: then it counts as any other failure.
  if (is_ejected()) return trial;
  const bool over_rate = terms.rate > 0 && count_in_window(terms, now, true);
  const bool in_a_row = terms.in_a_row > 0 && in_a_row_.fetch_add(1) + 1 >= terms.in_a_row;
  return over_rate || in_a_row;
}

bool ServerHealth::note_success(const config::Ejection& terms, Time now, bool trial) {
  if (in_a_row_.load(kRelaxed) != 0) in_a_row_.store(0, kRelaxed);
  if (terms.rate > 0) count_in_window(terms, now, false);
  return trial && end_ejection(now);
}

// True: there are enough of them in it, and too many failures among them.
bool ServerHealth::count_in_window(const config::Ejection& terms, Time now, bool failed) {
  constexpr std::uint64_t kNumbers = std::uint64_t{1} << (64 - 2 * Window::kCountBits);
  const auto number = static_cast<std::uint64_t>(
      now.time_since_epoch() / std::chrono::duration_cast<Clock::duration>(terms.window));
  std::uint64_t before = window_.load(kRelaxed);
  Window window{};
  do {
    window = Window::of(before);
    if (window.number != number % kNumbers) window = {number % kNumbers, 0, 0};
    if (window.requests == Window::kCountMax) {
      window.requests /= 2;
      window.failures /= 2;
    }
    ++window.requests;
    window.failures += failed ? 1 : 0;
  } while (!window_.compare_exchange_weak(before, window.word()));
  return window.requests >= terms.requests_min &&
         window.failures * 100 >= window.requests * terms.rate;
}

Clock::duration ServerHealth::eject(const config::Ejection& terms, Time now, bool trial) {
  if (is_ejected() && !trial) return {};
  // Whoever has been well for as long as the longest ejection begins anew.
  const bool is_new = !trial && now - came_at() >= terms.time_max;
  const Clock::duration twice = 2 * last_ejection_;
  last_ejection_ = is_new || twice.count() == 0
                       ? Clock::duration(terms.time)
                       : std::clamp<Clock::duration>(twice, terms.time, terms.time_max);
  ejected_until_.store(ticks(now + last_ejection_));
  in_a_row_.store(0, kRelaxed);
  window_.store(0, kRelaxed);
  set(kEjected);
  ejections_.fetch_add(1, kRelaxed);
  return last_ejection_;
}

bool ServerHealth::end_ejection(Time now) {
  return clear(kEjected, now);
}

bool ServerHealth::note_leaving(Time until) {
  std::int64_t before = leaving_until_.load(kRelaxed);
  while (before < ticks(until) && !leaving_until_.compare_exchange_weak(before, ticks(until))) {
  }
  return set(kLeaving);
}

ServerHealth::Change ServerHealth::note_check(bool passed, const config::HealthCheck& terms,
                                              Time now) {
  const bool is_first = !checked_.exchange(true);
  passes_ = passed ? passes_ + 1 : 0;
  fails_ = passed ? 0 : fails_ + 1;
  if (!passed) {
    const bool is_news = (is_first || fails_ >= terms.fall) && set(kDown);
    if (!is_news) return Change::kNone;
    downs_.fetch_add(1, kRelaxed);
    return Change::kDown;
  }
  const bool stays = end_leaving_of_check(now);
  const bool rises = (is_first || passes_ >= terms.rise) && clear(kDown, now);
  // What has answered its checks again is not held to failures from before.
  if (rises) end_ejection(now);
  return stays || rises ? Change::kUp : Change::kNone;
}

bool ServerHealth::note_known(bool initially_down) {
  const bool is_new = !std::exchange(known_, true);
  return is_new && initially_down && set(kDown);
}

bool ServerHealth::end_checks(Time now) {
  checked_ = false;
  const bool was_leaving = end_leaving_of_check(now);
  return clear(kDown, now) || was_leaving;
}

bool ServerHealth::end_leaving_of_check(Time now) {
  const bool checks_said_so = is_leaving() && leaving_until_.load(kRelaxed) == ticks(Time::max());
  if (checks_said_so) leaving_until_.store(0, kRelaxed);
  return checks_said_so && clear(kLeaving, now);
}

bool ServerHealth::clear(std::uint32_t flag, Time now) {
  const bool was_set = (flags_.fetch_and(~flag) & flag) != 0;
  if (was_set) came_at_.store(ticks(now), kRelaxed);
  return was_set;
}

}  // namespace gateway
