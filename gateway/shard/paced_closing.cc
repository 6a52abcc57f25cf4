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
                           const End& end, Takes takes)
    : name_(std::move(name)),
      loop_(loop),
      order_(plan.order),
      boundary_time_(plan.boundary_time),
      end_(end),
      takes_(std::move(takes)),
      pace_(loop.now(), plan.over),
      timer_(*this, loop.timers()) {}

PacedClosing::~PacedClosing() {
  while (!tunnels_.empty()) leave(tunnels_.first());
}

void PacedClosing::start(std::vector<Tunnel*> tunnels) {
  if (order_ == config::ClosingOrder::random) shuffle(tunnels);
  for (Tunnel* const tunnel : tunnels) {
    if (tunnel->closing_ != nullptr) tunnel->closing_->leave(*tunnel);
    push(*tunnel);
  }
  close_due();
}

// Nobody else knows who goes next; nothing hangs on its being unpredictable.
void PacedClosing::shuffle(std::vector<Tunnel*>& tunnels) {
  std::array<std::byte, sizeof(std::uint64_t)> seed;
  loop_.kernel().fill_random(seed);
  std::mt19937_64 dice(std::bit_cast<std::uint64_t>(seed));
  std::ranges::shuffle(tunnels, dice);
}

void PacedClosing::join(Tunnel& tunnel) {
  if (waiting_ == 0) pace_.note_alone(loop_.now());
  push(tunnel);
  close_due();
}

void PacedClosing::push(Tunnel& tunnel) {
  CHECK(tunnel.closing_ == nullptr, "it waits in one list at a time");
  tunnel.closing_ = this;
  tunnels_.push(tunnel);
  ++waiting_;
}

void PacedClosing::leave(Tunnel& tunnel) {
  CHECK(tunnel.closing_ == this, "who leaves a list is in it");
  tunnel.unlist();
  tunnel.closing_ = nullptr;
  --waiting_;
  if (waiting_ == 0) timer_.disarm();
}

void PacedClosing::let_go() {
  tunnels_.find([this](Tunnel& tunnel) {
    if (!takes_(tunnel)) leave(tunnel);
    return false;
  });
}

void PacedClosing::close_due() {
  const auto now = loop_.now();
  while (waiting_ > 0 && pace_.next() <= now) {
    Tunnel& tunnel = tunnels_.first();
    pace_.note_gone(now, waiting_);
    leave(tunnel);
    tunnel.close_in_turn(end_, boundary_time_);
  }
  if (waiting_ > 0) timer_.arm(pace_.next());
}

}  // namespace gateway
