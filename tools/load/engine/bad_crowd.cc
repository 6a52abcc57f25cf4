#include "tools/load/engine/bad_crowd.hh"

#include <algorithm>
#include <cmath>

namespace load {
namespace {

// At a time, and in one look.
constexpr std::size_t kOpeningMax = 64;
// How long one stays away that has ended, and one that was refused ("full jitter").
constexpr std::chrono::milliseconds kAwayMax{1000};
constexpr std::chrono::milliseconds kAwayRefusedMax{5000};

}  // namespace

BadCrowd::BadCrowd(Shared& shared) : shared_(shared) {}

void BadCrowd::aim(const BadNumbers& wanted, Duration ramp) {
  before_ = there_;
  wanted_ = wanted;
  aimed_ = shared_.now();
  ramp_ = ramp;
}

std::size_t BadCrowd::wanted(std::size_t kind, Time now) const {
  if (ended_) return 0;
  if (ramp_.count() <= 0 || now >= aimed_ + ramp_) return wanted_[kind];
  const double part =
      std::chrono::duration<double>(now - aimed_) / std::chrono::duration<double>(ramp_);
  return static_cast<std::size_t>(std::lround(
      std::lerp(static_cast<double>(before_[kind]), static_cast<double>(wanted_[kind]), part)));
}

void BadCrowd::look() {
  const Time now = shared_.now();
  for (std::size_t kind = 0; kind < kBadKinds; ++kind) {
    const std::size_t number = wanted(kind, now);
    if (there_[kind] > number) let_go_of_surplus(kind, number);
    for (; there_[kind] < number; ++there_[kind]) absent_.push_back({now, kind});
  }
  auto opening = static_cast<std::size_t>(
      std::ranges::count_if(live_, [](const auto& each) { return each->is_opening(); }));
  for (std::size_t i = 0; i < absent_.size() && opening < kOpeningMax;) {
    if (absent_[i].until > now) {
      ++i;
      continue;
    }
    const std::size_t kind = absent_[i].kind;
    absent_[i] = absent_.back();
    absent_.pop_back();
    open(kind);
    ++opening;
  }
}

// First those that are not there anyway.
void BadCrowd::let_go_of_surplus(std::size_t kind, std::size_t most) {
  std::erase_if(absent_, [&](const Absent& each) {
    if (each.kind != kind || there_[kind] <= most) return false;
    --there_[kind];
    return true;
  });
  for (std::size_t i = live_.size(); i > 0 && there_[kind] > most; --i) {
    BadConnection& connection = *live_[i - 1];
    const bool is_one = static_cast<std::size_t>(connection.kind()) == kind;
    if (!is_one || connection.is_stopped()) continue;
    connection.stop(BadConnection::Stop::kSurplus);
    --there_[kind];
  }
}

void BadCrowd::open(std::size_t kind) {
  BadOwner& owner = *this;
  live_.push_back(
      make_bad(static_cast<BadKind>(kind), shared_, owner, next_target(), begun_[kind]++));
  live_.back()->place = live_.size() - 1;
  live_.back()->start();
}

// As the others: the one whose share, by the weights, is the furthest behind.
ShardTarget& BadCrowd::next_target() {
  begun_on_.resize(shared_.targets.size());
  std::size_t next = 0;
  const auto load_of = [this](std::size_t i) {
    return static_cast<double>(begun_on_[i]) / shared_.targets[i].target.weight;
  };
  for (std::size_t i = 1; i < begun_on_.size(); ++i) {
    if (load_of(i) < load_of(next)) next = i;
  }
  ++begun_on_[next];
  return shared_.targets[next];
}

void BadCrowd::end() {
  ended_ = true;
  absent_.clear();
  for (const auto& each : live_) each->stop(BadConnection::Stop::kRunEnds);
}

void BadCrowd::over(BadConnection& connection) {
  if (!ended_ && !connection.is_stopped()) {
    const Duration most = connection.was_refused() ? kAwayRefusedMax : kAwayMax;
    std::uniform_int_distribution<Duration::rep> away(0, most.count());
    absent_.push_back({shared_.now() + Duration(away(shared_.random)),
                       static_cast<std::size_t>(connection.kind())});
  }
  const std::size_t place = connection.place;
  std::swap(live_[place], live_.back());
  live_[place]->place = place;
  dead_.push_back(std::move(live_.back()));
  live_.pop_back();
}

}  // namespace load
