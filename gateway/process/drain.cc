#include "gateway/process/drain.hh"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "gateway/log/line.hh"
#include "gateway/process/words.hh"
#include "uring/check.hh"

namespace gateway {
namespace {

// Those that take their leave, or have asked nothing yet, where there are any.
std::string text_of(const UnderWay& left) {
  std::string text =
      counted(left.websockets, "websocket") + " and " + counted(left.requests, "request");
  const std::uint64_t busy = left.websockets + left.requests;
  if (left.connections > busy) text += ", " + counted(left.connections - busy, "other connection");
  return text;
}

}  // namespace

Drain::Drain(uring::Loop& loop, Log log, Drained& drained)
    : loop_(loop),
      log_(log),
      drained_(drained),
      delay_(*this, loop.timers()),
      hard_stop_(*this, loop.timers()),
      progress_(*this, loop.timers()) {}

void Drain::begin(const config::DrainSettings& settings) {
  CHECK(!begun_, "it stops once");
  begun_ = true;
  settings_ = settings;
  began_ = loop_.now();
  hard_stop_.arm(began_ + settings_.hard_stop);
  progress_.arm(began_ + kProgress);
  if (settings_.delay.count() == 0) return on_delay_over();
  drained_.announce();
  delay_.arm(began_ + settings_.delay);
}

void Drain::on_delay_over() {
  if (std::exchange(doors_closed_, true)) return;
  drained_.close_doors({.over = settings_.over,
                        .order = settings_.order,
                        .reason = Reason::kStopping,
                        .close_code = settings_.close_code,
                        .close_reason = settings_.close_reason,
                        // As long as a request may take.
                        .boundary_time = settings_.hard_stop - settings_.delay});
}

void Drain::hurry() {
  delay_.disarm();
  on_delay_over();
  cut();
}

void Drain::on_hard_stop() {
  log_.warning("drain: hard_stop is over: {} are cut", text_of(drained_.remaining()));
  cut();
}

void Drain::cut() {
  if (std::exchange(cut_, true)) return;
  hard_stop_.disarm();
  progress_.disarm();
  drained_.cut();
}

void Drain::on_progress() {
  const auto now = loop_.now();
  progress_.arm(now + kProgress);
  const auto closes_until = began_ + settings_.delay + settings_.over;
  const bool closes = now < closes_until;
  const auto until = closes ? closes_until : began_ + settings_.hard_stop;
  log_.info("drain: {} remain, {}{} s{}", text_of(drained_.remaining()), closes ? "" : "cut in ",
            seconds_of(until - now), closes ? " left" : "");
}

void Drain::finish() {
  hard_stop_.disarm();
  progress_.disarm();
  LogLine(log_, LogLevel::info, "drain")
      .said(": finished: requests finished=")
      .bare()
      .number("requests_finished", tally_.requests)
      .said(", websockets closed by us=")
      .bare()
      .number("websockets_closed", tally_.websockets_by_us)
      .said(", by peers=")
      .bare()
      .number("websockets_closed_by_peers", tally_.websockets_by_peers)
      .said(", cut=")
      .bare()
      .number("cut", tally_.cut)
      .write();
}

}  // namespace gateway
