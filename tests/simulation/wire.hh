// A simulated peer's hand on its end of a stream: what it has to send, and its pace. It reads and
// writes so much at once, and rests between two steps.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "tests/simulation/stage.hh"

namespace simulation {

struct Pace {
  std::size_t write_most = 1 << 20;
  std::size_t read_most = 1 << 20;
  microseconds pause_max{0};
};

class Wire {
 public:
  Wire(Stream stream, Pace pace) : stream_(std::move(stream)), pace_(pace) {}

  void send(std::string_view bytes) { outgoing_.append(bytes); }
  bool has_unsent() const { return !outgoing_.empty(); }

  // What may be read or written now.
  bool readable() const { return stream_->unread() > 0; }
  bool ended() const { return stream_->saw_end() || stream_->saw_reset(); }
  bool was_reset() const { return stream_->saw_reset(); }
  bool writable() const { return has_unsent() && stream_->room() > 0; }

  std::string read() {
    const auto bytes = stream_->read(pace_.read_most);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // False if nothing could be written.
  bool write_some() {
    if (!writable()) return false;
    const std::string_view next = std::string_view(outgoing_).substr(0, pace_.write_most);
    const std::size_t taken = stream_->write(std::as_bytes(std::span(next)));
    outgoing_.erase(0, taken);
    // Who is gone takes nothing any more.
    if (stream_->saw_reset()) outgoing_.clear();
    return true;
  }

  // Bytes are under way, or wait for room.
  bool is_busy() const { return has_unsent() || readable() || stream_->unreceived() > 0; }

  void half_close() { stream_->shutdown_write(); }
  void close() { stream_->close(); }
  void reset() { stream_->reset(); }

  void rest(Dice& dice, Time now) {
    if (pace_.pause_max.count() == 0 || dice.chance(40)) return;
    const auto most = static_cast<std::size_t>(pace_.pause_max.count());
    rests_until_ = now + microseconds(dice.between(0, most));
  }
  bool resting(Time now) const { return now < rests_until_; }
  Time rests_until() const { return rests_until_; }

 private:
  Stream stream_;
  Pace pace_;
  std::string outgoing_;
  Time rests_until_{};
};

}  // namespace simulation
