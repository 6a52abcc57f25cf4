// The binary is replaced while it serves: a successor is started with the listening sockets, loads
// its configuration, says that it is ready, and accepts; then this process is told to drain
// (Succeeded). A successor that does not start, dies, or is not ready in time changes nothing: its
// last words are in the log, and all goes on. handover.hh has the order of words, and the
// successor's side.
//
// To come: what is established moves, too. It would be gathered between `serving` and `main`, when
// both processes are sure of each other, and go the same way as the sockets; what a connection is
// hangs from its Connection (gateway/client/connection.hh).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/address.hh"
#include "gateway/log/log.hh"
#include "gateway/process/descriptor_reader.hh"
#include "gateway/process/spawner.hh"
#include "uring/task.hh"
#include "uring/timer.hh"

namespace gateway {

// Who is succeeded.
class Succeeded {
 public:
  // A listening socket, and where.
  struct Socket {
    config::Address address;
    int descriptor;
    bool ours_alone;  // not a service manager's, too
  };
  virtual std::vector<Socket> sockets() const = 0;
  // It accepts by now. The service manager is to hear of it before the successor does.
  virtual void announce(pid_t successor) = 0;
  // It goes on alone after all.
  virtual void withdraw() = 0;
  // The successor has all the sockets of these addresses.
  virtual void hand_over(pid_t successor, const std::vector<config::Address>& addresses) = 0;

 protected:
  ~Succeeded() = default;
};

class Upgrade {
 public:
  // How it went, for whoever has asked for it.
  struct Result {
    bool done = false;
    std::vector<std::string> lines;
  };
  using Answer = std::function<void(const Result&)>;
  // Of a successor's last words.
  static constexpr std::size_t kLinesMax = 100;
  static constexpr std::size_t kLineBytesMax = 1000;
  // From `go` until it serves, from its death until its last words are there, and from `main` until
  // all is its own.
  static constexpr std::chrono::seconds kServingTime{30};
  static constexpr std::chrono::seconds kLastWordsTime{2};
  static constexpr std::chrono::seconds kTakingOverTime{2};

  // All outlive it. Without a spawner `why_none` says why.
  Upgrade(uring::Loop& loop, Log log, Spawner* spawner, std::string why_none, Succeeded& succeeded);
  Upgrade(const Upgrade&) = delete;
  Upgrade& operator=(const Upgrade&) = delete;

  // One at a time; while one is under way whoever asks is refused. `answer` may be empty.
  void request(std::chrono::milliseconds patience, Answer answer = {});
  // Refused, with a line that says why.
  void refuse(const std::string& why, const Answer& answer);
  bool under_way() const { return !story_.done(); }
  // The process stops: so does a successor that is not ready yet.
  void abandon();
  // Who serves instead; 0: nobody.
  pid_t successor() const { return successor_; }
  std::uint64_t failures() const { return failures_; }
  // Awaits what is in flight.
  uring::Task<> stop();

 private:
  uring::Task<> story();
  uring::Task<> try_successor();
  uring::Task<> end_successor();
  uring::Task<> be_quiet();
  bool begin();
  int start_successor();
  int listen_to_spawner();
  int give(int channel, int standard_error);
  void finish();
  void heard_of_spawner(std::string_view packet);
  void heard_in_channel(std::string_view packet);
  void heard_words(std::string_view piece);
  void tell_line(std::string_view line);
  void on_deadline();
  void fail(std::string why);
  bool say(char word) const;
  std::vector<config::Address> addresses_taken() const;

  uring::Loop& loop_;
  Log log_;
  Spawner* const spawner_;
  const std::string why_none_;
  Succeeded& succeeded_;
  std::unique_ptr<DescriptorReader> reports_;  // the spawner's
  std::unique_ptr<DescriptorReader> channel_;
  std::unique_ptr<DescriptorReader> words_;  // the successor's stderr
  std::vector<Succeeded::Socket> sockets_;   // handed down
  std::string taken_;                        // of these: kHasSocket or kHasNotSocket each
  std::string line_;                         // of the last words, in part
  std::size_t lines_ = 0;
  Answer answer_;
  Result result_;
  std::string failure_;
  uring::TimerMember<&Upgrade::on_deadline> deadline_;
  uring::Event happened_;
  uring::Event quiet_;
  uring::Task<> story_;
  std::chrono::milliseconds patience_{0};
  pid_t pid_ = 0;  // of a successor that lives
  pid_t successor_ = 0;
  std::uint64_t failures_ = 0;
  bool started_ = false;  // the spawner may have a child
  bool ended_ = false;    // which has ended
  bool may_go_ = false;   // it was told to
  bool serves_ = false;
  bool has_taken_over_ = false;
  bool late_ = false;
  bool abandoned_ = false;
};

}  // namespace gateway
