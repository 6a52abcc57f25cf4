#include "tests/simulation/wire.hh"

#include <span>

namespace simulation {

void Wire::send(std::string_view bytes) {
  if (!tls_) {
    outgoing_.append(bytes);
  } else {
    tls_->send(bytes);
    outgoing_ += tls_->take_outgoing();
  }
}

std::string Wire::read() {
  const auto bytes = stream_->read(pace_.read_most);
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!tls_) return text;
  text = tls_->open(text);
  outgoing_ += tls_->take_outgoing();
  return text;
}

bool Wire::write_some() {
  if (!writable()) return false;
  const std::string_view next = std::string_view(outgoing_).substr(written_, pace_.write_most);
  written_ += stream_->write(std::as_bytes(std::span(next)));
  // Who is gone takes nothing any more.
  if (stream_->saw_reset() || written_ == outgoing_.size()) {
    outgoing_.clear();
    written_ = 0;
  }
  if (half_closes_ && outgoing_.empty()) stream_->shutdown_write();
  return true;
}

void Wire::half_close(bool needed) {
  (void)say_farewell(needed);
  half_closes_ = true;
  if (outgoing_.empty()) stream_->shutdown_write();
}

void Wire::close() {
  (void)say_farewell();
  if (tls_) (void)write_some();
  stream_->close();
}

bool Wire::say_farewell(bool needed) {
  if (!tls_ || farewell_said_ || (tls_->is_rude() && !needed)) return false;
  farewell_said_ = true;
  tls_->close();
  outgoing_ += tls_->take_outgoing();
  return true;
}

}  // namespace simulation
