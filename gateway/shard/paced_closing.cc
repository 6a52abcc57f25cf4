#include "gateway/shard/paced_closing.hh"

#include <algorithm>
#include <array>
#include <bit>
#include <random>
#include <utility>

#include "gateway/websocket/tunnel.hh"
#include "uring/check.hh"

namespace gateway {

PacedClosing::PacedClosing(std::string name, uring::Loop& loop, const ClosingPlan& plan,
                           std::shared_ptr<Pace> pace, const End& end, Takes takes, Stands stands)
    : name_(std::move(name)),
      loop_(loop),
      plan_(plan),
      end_(end),
      takes_(std::move(takes)),
      stands_(std::move(stands)),
      pace_(std::move(pace)),
      timer_(*this, loop.timers()) {}

PacedClosing::~PacedClosing() {
  while (!tunnels_.empty()) leave(tunnels_.first());
}

void PacedClosing::start(std::vector<Tunnel*> tunnels) {
  if (plan_.order == config::ClosingOrder::random) shuffle(tunnels);
  for (Tunnel* const tunnel : tunnels) {
    if (tunnel->closing_ != nullptr) tunnel->closing_->leave(*tunnel);
    push(*tunnel);
  }
  pace_->begin(loop_.now(), waiting_);
  go_on();
}

// Nobody else knows who goes next; nothing hangs on its being unpredictable.
void PacedClosing::shuffle(std::vector<Tunnel*>& tunnels) {
  std::array<std::byte, sizeof(std::uint64_t)> seed;
  loop_.kernel().fill_random(seed);
  std::mt19937_64 dice(std::bit_cast<std::uint64_t>(seed));
  std::ranges::shuffle(tunnels, dice);
}

void PacedClosing::join(Tunnel& tunnel) {
  pace_->join(loop_.now());
  push(tunnel);
  if (turn_) turn_ = std::min(*turn_, pace_->latest(loop_.now()));
}

void PacedClosing::push(Tunnel& tunnel) {
  CHECK(tunnel.closing_ == nullptr, "it waits in one list at a time");
  tunnel.closing_ = this;
  tunnels_.push(tunnel);
  ++waiting_;
  if (plan_.waiting) plan_.waiting->fetch_add(1, std::memory_order_relaxed);
}

void PacedClosing::leave(Tunnel& tunnel) {
  take_out(tunnel);
  // The last one takes his turn with him; else that is for whoever is the first one now.
  if (waiting_ == 0 && turn_) {
    turn_.reset();
  } else {
    pace_->leave();
  }
}

void PacedClosing::take_out(Tunnel& tunnel) {
  CHECK(tunnel.closing_ == this, "who leaves a list is in it");
  tunnel.unlist();
  tunnel.closing_ = nullptr;
  --waiting_;
  if (plan_.waiting) plan_.waiting->fetch_sub(1, std::memory_order_relaxed);
  if (waiting_ == 0) timer_.disarm();
}

std::vector<Tunnel*> PacedClosing::let_go() {
  std::vector<Tunnel*> gone;
  tunnels_.find([&](Tunnel& tunnel) {
    if (takes_(tunnel)) return false;
    leave(tunnel);
    gone.push_back(&tunnel);
    return false;
  });
  return gone;
}

std::vector<Tunnel*> PacedClosing::let_all_go() {
  std::vector<Tunnel*> gone;
  while (!tunnels_.empty()) {
    gone.push_back(&tunnels_.first());
    leave(*gone.back());
  }
  return gone;
}

bool PacedClosing::has(const Tunnel& tunnel) const {
  return tunnel.closing_ == this;
}

void PacedClosing::go_on() {
  while (waiting_ > 0 && turn_has_come()) {
    Tunnel& tunnel = tunnels_.first();
    take_out(tunnel);
    turn_.reset();
    tunnel.close_in_turn(end_, plan_.boundary_time);
  }
}

// Else the timer says when to look again.
bool PacedClosing::turn_has_come() {
  const auto now = loop_.now();
  if (!pace_->is_ready(now)) {
    timer_.arm(now + kLook);
    return false;
  }
  if (!turn_) turn_ = pace_->claim(now);
  if (*turn_ <= now) return true;
  timer_.arm(*turn_);
  return false;
}

}  // namespace gateway
