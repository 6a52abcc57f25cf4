#include "tools/load/engine/schedule.hh"

#include <cmath>

namespace load {

Schedule::Schedule(double per_second, Arrival arrival, Time begin, std::uint64_t seed,
                   double offset)
    : distance_ns_(1e9 / per_second),
      arrival_(arrival),
      begin_(begin),
      taken_(offset),
      random_(static_cast<std::minstd_rand::result_type>(seed | 1)) {
  next_ = after(taken_);
}

Schedule::Time Schedule::after(double distances) const {
  return begin_ + std::chrono::nanoseconds(static_cast<std::int64_t>(distances * distance_ns_));
}

Schedule::Time Schedule::take() {
  const Time due = next_;
  taken_ += arrival_ == Arrival::kEven ? 1 : std::exponential_distribution<double>(1)(random_);
  next_ = after(taken_);
  return due;
}

std::uint64_t Schedule::skip_until(Time time) {
  if (next_ > time) return 0;
  const double behind =
      std::chrono::duration<double, std::nano>(time - next_).count() / distance_ns_;
  const double skipped = std::floor(behind) + 1;
  taken_ += skipped;
  next_ = after(taken_);
  return static_cast<std::uint64_t>(skipped);
}

}  // namespace load
