// What a socket needs around it in a test: takes and checks what it receives, arms it again with
// credits of any size, and keeps it sending. `Stand` is a Simulation or a RealRing.
#pragma once

#include <set>

#include "tests/uring/simulation.hh"
#include "uring/socket.hh"

template <class Stand>
class SocketOwner {
 public:
  SocketOwner(Stand& stand, int descriptor, std::size_t stream = 0)
      : stand_(stand), stream_(stream) {
    if (descriptor >= 0) socket_.adopt(descriptor);
    tell_left();
  }

  uring::Socket& socket() { return socket_; }
  std::size_t received_bytes() const { return received_bytes_; }
  const uring::Received& last_received() const { return last_received_; }
  std::size_t times_left() const { return times_left_; }
  std::size_t buffers_seen() const { return buffers_seen_.size(); }

  // Receives from now on, with credits of any size or of this one.
  void receive_all(uring::Socket::Arming arming, std::size_t room = 0) {
    receiving_ = true;
    arming_ = arming;
    room_ = room;
    arm();
  }

  void arm() {
    const bool over = socket_.end_of_stream() || socket_.receive_error() != 0;
    if (!receiving_ || over || socket_.armed() || socket_.has_received()) return;
    const std::size_t least = stand_.buffers->bytes_of(uring::BufferGroup::kSmall);
    const std::size_t room = room_ != 0 ? room_ : stand_.dice().of_any_size(least, 300'000);
    credit_ = socket_.arm(room, arming_);
    EXPECT_LE(credit_, room);
    EXPECT_EQ(socket_.armed(), credit_ > 0);  // a closing socket is not armed any more
  }

  // Sends the first `total` bytes of the stream, in batches of any size.
  void send_all(std::size_t total) {
    to_send_ = total;
    on_sent();
  }

  void tell_left() { socket_.tell_left_to(left_); }

  void close_and_wait() {
    receiving_ = false;
    to_send_ = 0;
    uring::Task<> closing = socket_.close();
    closing.start();
    EXPECT_TRUE(stand_.turn_until([&] { return closing.done(); }));
  }

 private:
  void on_received() {
    while (socket_.has_received()) {
      last_received_ = socket_.take();
      const auto bytes = last_received_.bytes;
      buffers_seen_.insert(bytes.data());
      EXPECT_EQ(first_wrong(bytes, stream_, received_bytes_), bytes.size());
      EXPECT_LE(bytes.size(), credit_) << "more than the credit arrived";
      credit_ -= bytes.size();
      received_bytes_ += bytes.size();
      socket_.give_back(last_received_.buffer);
    }
    arm();
  }

  void on_sent() {
    if (sent_bytes_ == to_send_ || to_send_ == 0 || socket_.send_error() != 0) return;
    Dice& dice = stand_.dice();
    const std::size_t size = std::min(dice.of_any_size(1, 50'000), to_send_ - sent_bytes_);
    batch_ = stream_bytes(stream_, sent_bytes_, size);
    sent_bytes_ += size;
    socket_.send(batch_);
  }

  void on_left() {
    ++times_left_;
    tell_left();
  }

  Stand& stand_;
  std::size_t stream_;
  uring::Socket socket_{stand_.loop,
                        {this, &uring::ReadyMember<&SocketOwner::on_received>::run,
                         &uring::ReadyMember<&SocketOwner::on_sent>::run}};
  uring::ReadyMember<&SocketOwner::on_left> left_{*this};
  uring::Received last_received_{};
  std::set<const std::byte*> buffers_seen_;
  std::vector<std::byte> batch_;
  uring::Socket::Arming arming_ = uring::Socket::Arming::kStream;
  std::size_t room_ = 0;
  std::size_t credit_ = 0;
  std::size_t received_bytes_ = 0;
  std::size_t sent_bytes_ = 0;
  std::size_t to_send_ = 0;
  std::size_t times_left_ = 0;
  bool receiving_ = false;
};
