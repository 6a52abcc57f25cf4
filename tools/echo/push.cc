// /push: messages without end, at a rate or as fast as the client takes them. One coroutine writes;
// a second one reads, and only leaves word of what is to be answered, so that our frames never
// interleave and a client that floods us with pings gets one pong at a time.
#include <algorithm>
#include <array>
#include <optional>

#include "proto/ws/message_reader.hh"
#include "tools/common/mark.hh"
#include "tools/common/pattern.hh"
#include "tools/echo/handlers.hh"
#include "tools/echo/websocket.hh"

namespace echo {
namespace {

using uring::Clock;

constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kWorthWriting = 16 * 1024;
// A client that was too slow for the rate is not flooded with more than it missed in that time.
constexpr std::chrono::seconds kCatchUpMax{1};
// How long a client may take to end the connection after our close frame.
constexpr std::chrono::seconds kEndMax{2};

class Push {
 public:
  explicit Push(Exchange& exchange)
      : exchange_(exchange),
        link_(exchange.link),
        marked_(exchange.query.on("mark")),
        size_(std::max<std::uint64_t>(exchange.query.number("size", 64),
                                      marked_ ? tools::kMarkBytesMax : 0)),
        rate_(exchange.query.number("rate", 0)),
        burst_(std::max<std::uint64_t>(exchange.query.number("burst", 1), 1)),
        left_(exchange.query.number("count", ~std::uint64_t{0})),
        news_(exchange.loop.ready()),
        reader_over_(exchange.loop.ready()),
        due_(*this, exchange.loop.timers()) {}

  uring::Task<> run() {
    uring::Task<> reader = read();
    reader.start();
    Clock::time_point next_burst = exchange_.loop.now();
    while (!peer_ended_ && !link_.send_failed() && !close_ && left_ > 0) {
      if (exchange_.loop.now() < next_burst) {
        due_.arm(next_burst);
        news_.clear();
        co_await news_.wait();
        due_.disarm();
        write_pong();
        continue;
      }
      for (std::uint64_t i = 0; i < burst_ && left_ > 0 && !close_ && !peer_ended_; ++i) {
        write_pong();
        if (link_.room() >= size_ + kWorthWriting) {
          write_start();
          write_rest();
        } else {
          co_await stream_message();
        }
        ++number_;
        --left_;
      }
      if (rate_ > 0) {
        next_burst = std::max(next_burst, exchange_.loop.now() - kCatchUpMax);
        next_burst += std::chrono::nanoseconds(std::chrono::seconds(1)) * burst_ / rate_;
      }
    }
    if (!peer_ended_) link_.write(ws::make_close(close_.value_or(ws::kCloseNormal)).bytes());
    link_.write_end();
    ending_ = true;
    due_.arm(exchange_.loop.now() + kEndMax);
    while (!reader_over_.is_set()) co_await reader_over_.wait();
  }

 private:
  // A message that does not fit into the room there is.
  uring::Task<> stream_message() {
    while (link_.room() < kWorthWriting && !stopped()) co_await link_.drained();
    write_start();
    while (sent_ < size_ && !stopped()) {
      if (link_.room() < kWorthWriting) {
        co_await link_.drained();
      } else {
        write_rest();
      }
    }
  }

  void write_start() {
    link_.write(ws::encode_header({.payload_bytes = size_}).bytes());
    sent_ = 0;
    if (marked_) {
      const auto mark = tools::encode_mark({.number = number_, .time = Clock::now()}, false);
      link_.write(mark);
      sent_ = mark.size();
      return;
    }
    if (size_ < sizeof number_) return;
    const std::uint64_t big_endian = __builtin_bswap64(number_);
    link_.write(std::as_bytes(std::span(&big_endian, 1)));
    sent_ = sizeof number_;
  }

  // As much as there is room for.
  void write_rest() {
    std::size_t room = link_.room();
    while (sent_ < size_ && room > 0) {
      const Bytes piece = tools::pattern_at(sent_, std::min<std::uint64_t>(size_ - sent_, room));
      link_.write(piece);
      sent_ += piece.size();
      room -= piece.size();
    }
  }

  uring::Task<> read() {
    ws::MessageReader messages(ws::Sender::kClient);
    MutableBytes bytes = exchange_.take_behind_head();
    for (;;) {
      messages.feed(bytes);
      while (const auto event = messages.next()) note(*event);
      if (messages.violation()) close_ = close_code(*messages.violation());
      if (messages.close_seen()) close_ = messages.close_seen()->code;
      if (close_ || pong_) news_.set();
      bytes = tools::writable(co_await link_.read_once(kReadBytes));
      if (bytes.empty()) break;
    }
    peer_ended_ = true;
    news_.set();
    reader_over_.set();
    // Nobody will read what is still to be sent.
    if (!close_) link_.abort();
  }

  void note(const ws::Event& event) {
    if (event.kind == ws::Event::Kind::kPing) pong_ = ws::make_pong(event.payload);
  }

  void write_pong() {
    if (pong_) link_.write(pong_->bytes());
    pong_.reset();
  }

  bool stopped() const { return peer_ended_ || link_.send_failed(); }
  void on_due() {
    if (ending_) return link_.abort();
    news_.set();
  }

  Exchange& exchange_;
  Link& link_;
  const bool marked_;
  const std::uint64_t size_;
  const std::uint64_t rate_;
  const std::uint64_t burst_;
  std::uint64_t left_;
  std::uint64_t number_ = 0;
  std::uint64_t sent_ = 0;                // of the message that is being written
  std::optional<ws::ControlFrame> pong_;  // the newest is enough (RFC 6455 section 5.5.3)
  std::optional<std::uint16_t> close_;    // to be answered with this code
  bool peer_ended_ = false;
  bool ending_ = false;
  uring::Event news_;
  uring::Event reader_over_;
  uring::TimerMember<&Push::on_due> due_;
};

}  // namespace

uring::Task<> serve_push(Exchange& exchange) {
  exchange.link.write(proto::as_bytes(accept_head(exchange)));
  Push push(exchange);
  co_await push.run();
}

}  // namespace echo
