#include "gateway/process/closing_watch.hh"

#include <utility>

#include "gateway/process/words.hh"

namespace gateway {

void ClosingWatch::begin(std::string name, std::chrono::milliseconds over, Look look,
                         std::string_view done) {
  end(name);
  if (stopped_) return;
  const auto now = loop_.now();
  watched_.push_back({.name = std::move(name),
                      .ends = now + over,
                      .speaks_at = now + kProgress,
                      .look = std::move(look),
                      .done = done});
  if (watched_.size() == 1) timer_.arm(now + kLook);
}

void ClosingWatch::end(std::string_view name) {
  watched_.remove_if([&](const Watched& one) { return one.name == name; });
  if (watched_.empty()) timer_.disarm();
}

void ClosingWatch::stop() {
  stopped_ = true;
  watched_.clear();
  timer_.disarm();
}

std::uint64_t ClosingWatch::seconds_left(const Watched& one) const {
  return seconds_of(one.ends - loop_.now());
}

void ClosingWatch::on_time() {
  watched_.remove_if([this](Watched& one) { return is_over(one); });
  if (!watched_.empty()) timer_.arm(loop_.now() + kLook);
}

bool ClosingWatch::is_over(Watched& one) {
  const std::optional<Left> left = one.look();
  if (!left) return true;
  if (left->is_nothing()) {
    log_.info("{}: {}", one.name, one.done);
    return true;
  }
  if (loop_.now() < one.speaks_at) return false;
  one.speaks_at = loop_.now() + kProgress;
  std::string text = counted(left->websockets, "websocket");
  if (left->requests > 0) text += " and " + counted(left->requests, "request");
  const std::uint64_t seconds = seconds_left(one);
  const bool is_one = left->websockets + left->requests == 1;
  log_.info("{}: {} remain{}{}", one.name, text, is_one ? "s" : "",
            seconds > 0 ? fmt::format(", {} s left", seconds) : "");
  return false;
}

}  // namespace gateway
