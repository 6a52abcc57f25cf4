// A Unix datagram socket that is connected to a logging daemon's. Sending never waits long: a
// daemon whose queue is full has kPatience in a turn, all datagrams of it together, and where that
// was in vain, none until it takes one again. One that has gone is looked for once in kAgain. For
// one thread; owns the descriptor.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

namespace gateway {

class DatagramSocket {
 public:
  static constexpr std::chrono::milliseconds kPatience{200};
  static constexpr std::chrono::milliseconds kAgain{500};

  // The error is a whole sentence that names the path, and the cure.
  static std::expected<DatagramSocket, std::string> open(const std::string& path);
  DatagramSocket(DatagramSocket&& other) noexcept;
  DatagramSocket& operator=(DatagramSocket&&) = delete;
  ~DatagramSocket();

  // What is sent from here on may wait anew.
  void begin_turn() { waited_ = {}; }
  // 0, or an errno: it was not sent.
  int send(std::string_view datagram);

 private:
  using Clock = std::chrono::steady_clock;

  DatagramSocket(std::string path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}
  int try_to_send(std::string_view datagram) const;
  bool wait_for_room();
  int connect_again();

  const std::string path_;
  int descriptor_;  // -1: nobody is connected
  Clock::duration waited_{};
  bool stuck_ = false;  // it took nothing in the time that it had
  Clock::time_point looked_{};
};

}  // namespace gateway
