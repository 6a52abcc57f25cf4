#include "gateway/log/throttle.hh"

#include <algorithm>

#include "gateway/log/line.hh"

namespace gateway {
namespace {

constexpr std::string_view kOtherCauses = "(other causes)";

}  // namespace

bool Throttle::admit(LogLevel level, std::string_view cause, uring::Clock::time_point now,
                     Rate rate) {
  if (!log_.wants(level)) return false;
  if (count_ > 0 && now >= due_) end_until(now);
  cause = cause.substr(0, kCauseBytesMax);
  Entry* entry = find(cause);
  if (entry == nullptr && count_ + 1 >= kCausesMax) {
    cause = kOtherCauses;
    entry = find(cause);
  }
  if (entry == nullptr) entry = &add(cause, level, now, rate);
  entry->level = std::min(entry->level, level);
  return ++entry->lines <= entry->rate.lines;
}

Throttle::Entry* Throttle::find(std::string_view cause) {
  for (Entry& entry : std::span(entries_).first(count_)) {
    if (entry.name() == cause) return &entry;
  }
  return nullptr;
}

Throttle::Entry& Throttle::add(std::string_view cause, LogLevel level, uring::Clock::time_point now,
                               Rate rate) {
  Entry& entry = entries_[count_++];
  entry.cause_bytes = cause.copy(entry.cause.data(), entry.cause.size());
  entry.level = level;
  entry.rate = rate;
  entry.until = now + rate.interval;
  entry.lines = 0;
  if (count_ == 1 || entry.until < due_) timer_.arm(due_ = entry.until);
  return entry;
}

// The timer never comes before its time.
void Throttle::on_interval_over() {
  if (count_ > 0) end_until(due_);
}

void Throttle::end_until(uring::Clock::time_point now) {
  due_ = uring::Clock::time_point::max();
  size_t kept = 0;
  for (size_t at = 0; at < count_; ++at) {
    if (entries_[at].until <= now) {
      tell(entries_[at]);
    } else {
      due_ = std::min(due_, entries_[at].until);
      entries_[kept++] = entries_[at];
    }
  }
  count_ = kept;
  timer_.disarm();
  if (count_ > 0) timer_.arm(due_);
}

void Throttle::tell_all() {
  end_until(uring::Clock::time_point::max());
}

void Throttle::tell(const Entry& entry) {
  if (entry.lines <= entry.rate.lines) return;
  LogLine(log_, entry.level, "left out")
      .number("lines", entry.lines - entry.rate.lines)
      .number("seconds", entry.rate.interval.count())
      .quoted("cause", entry.name())
      .write();
}

}  // namespace gateway
