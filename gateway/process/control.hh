// The control socket: a Unix socket of the user's own, through which `gateway reload`, `stop` and
// `status` speak to a running gateway. A client sends one line, and gets "ok" or "failed" and then
// lines for people; then it is closed. Few at a time, each with a deadline: who comes beyond that
// waits in the queue.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/process/listening_address.hh"
#include "uring/listener.hh"

namespace gateway {

class ControlClient;

class Control final : private uring::Acceptor {
 public:
  static constexpr std::size_t kClientsMax = 16;
  static constexpr std::size_t kLineBytesMax = 16 * 1024;
  // How long a client may take to say what it wants, and to take the answer.
  static constexpr std::chrono::seconds kPatience{5};

  struct Answer {
    bool done = false;
    std::string text;  // lines
  };
  using Reply = std::function<void(const Answer&)>;
  // What a command does: it calls the reply once, now or later, on the loop's thread.
  using Handler = std::function<void(std::string_view command, Reply reply)>;

  // The error says what is wrong with the path. A socket that listens there already, and was
  // inherited, is taken.
  static std::expected<std::unique_ptr<Control>, std::string> open(const std::string& path,
                                                                   const config::UnixFile& file,
                                                                   InheritedSockets& inherited,
                                                                   uring::Loop& loop,
                                                                   Handler handler);
  ~Control();

  void start();
  // Of a predecessor's socket, once that accepts there no more.
  void take_over();
  const ListeningAddress& address() const { return *address_; }
  // Whoever comes from here on is a successor's, or nobody's; those who are there are answered.
  void hand_over();
  void close();
  // Nobody is answered any more.
  uring::Task<> stop();

 private:
  friend class ControlClient;
  Control(std::unique_ptr<ListeningAddress> address, uring::Loop& loop, Handler handler);
  void accepted(int descriptor) override;
  void accept_failed(int) override {}
  Appetite appetite() override;
  void forget(ControlClient& client);
  uring::Task<> leave();

  std::unique_ptr<ListeningAddress> address_;
  uring::Loop& loop_;
  Handler handler_;
  uring::Listener listener_;
  std::list<std::shared_ptr<ControlClient>> clients_;
  uring::Event all_gone_;
  uring::Event left_;
  uring::Task<> leaving_;
  bool started_ = false;
  bool handed_over_ = false;
  bool closed_ = false;    // to whoever is new
  bool stopping_ = false;  // nobody is answered any more
};

}  // namespace gateway
