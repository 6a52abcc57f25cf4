// A simulated peer's hand on its end of a stream: what it has to send, and its pace. It reads and
// writes so much at once, and rests between two steps. Where it speaks TLS, what is sent and read
// here is plaintext.
#pragma once

#include <memory>
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
  Wire(Stream stream, Pace pace, std::unique_ptr<TlsEnd> tls = nullptr)
      : stream_(std::move(stream)), pace_(pace), tls_(std::move(tls)) {
    if (tls_) outgoing_ = tls_->take_outgoing();
  }

  // Precondition: nothing has been written.
  void begin_with(std::string_view bytes) { outgoing_.insert(0, bytes); }
  void send(std::string_view bytes);
  bool has_unsent() const { return !outgoing_.empty() || (tls_ && tls_->waits()); }

  // What may be read or written now.
  bool readable() const { return stream_->unread() > 0; }
  bool ended() const {
    return stream_->saw_end() || stream_->saw_reset() || (tls_ && tls_->is_over());
  }
  bool was_reset() const { return stream_->saw_reset(); }
  // The gateway has said that there is nothing more.
  bool ended_cleanly() const { return tls_ ? tls_->ended_cleanly() : stream_->saw_end(); }
  bool writable() const { return !outgoing_.empty() && stream_->room() > 0; }

  std::string read();
  // False if nothing could be written.
  bool write_some();

  // Bytes are under way, or wait for room.
  bool is_busy() const { return has_unsent() || readable() || stream_->unreceived() > 0; }

  // The end of what is sent, behind all of it. `needed`: see say_farewell().
  void half_close(bool needed = false);
  void close();
  void reset() { stream_->reset(); }
  // Its end was a reset; a close in front of unread bytes is one.
  bool has_reset() const { return stream_->finished_by_reset(); }
  // Where it is TLS: the word that comes before the end, to be sent first; unless this peer says
  // none where it need not. Whether it has said one.
  bool say_farewell(bool needed = false);
  // What tells the gateway that nothing is missing, if the stream were closed now.
  bool end_is_told() const {
    return (!tls_ || (farewell_said_ && !tls_->end_is_lost())) && stream_->unread() == 0;
  }

  const Stream& stream() const { return stream_; }
  // Null where it is plain.
  const TlsEnd* tls() const { return tls_.get(); }
  // It has done to its session what its plan says.
  bool spoilt() const { return tls_ && tls_->spoilt(); }
  // The session has failed, and this peer is not to blame.
  bool was_wronged() const { return tls_ && tls_->failed() && !tls_->spoilt(); }

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
  std::unique_ptr<TlsEnd> tls_;
  std::string outgoing_;
  std::size_t written_ = 0;  // of outgoing_
  Time rests_until_{};
  bool half_closes_ = false;
  bool farewell_said_ = false;
};

}  // namespace simulation
