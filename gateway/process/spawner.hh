// Who starts a successor. The process that serves may execute nothing (no_new_privs, a filter of
// system calls) and has threads; so a small process is made beside it at the very start, before
// threads, sockets and the configuration. It can start one program only: this one, from where it
// lay at the start, with the arguments, the environment and the folder of the start. What the
// serving process gives up, it gives up, too.
//
//   serving process  --[sockets, channel, pipe]-->  spawner  --fork, exec-->  successor
//                    <--[started, failed, ended]--
//
// It ends when the serving process does, with a successor that has not been released.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "gateway/config/account.hh"

namespace gateway {

class Spawner {
 public:
  struct Report {
    enum class Kind : std::uint8_t {
      kStarted,  // value: the successor's pid
      kFailed,   // an errno: it could not be executed
      kEnded,    // what waitpid(2) says of it
      kDropped,  // an errno, or 0: rights are given up
    };
    Kind kind;
    int value;
  };
  // Of a successor: its sockets come from descriptor 3 on, as LISTEN_FDS says, the first `left` of
  // them for itself alone; then follow its end of the channel (handover.hh) and the real stderr.
  struct Gifts {
    std::span<const int> sockets;
    std::size_t left;
    int channel;
    int standard_error;  // until it serves
  };

  // What a successor begins with besides.
  struct Start {
    std::span<char*> arguments;
    int standard_error;  // what this process will have as such
    sigset_t signal_mask;
  };

  // Before there are threads.
  static std::expected<std::unique_ptr<Spawner>, std::string> start(const Start& start);
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  const std::string& program() const { return program_; }
  // As gateway::drop_privileges; waits for it.
  std::expected<void, std::string> drop_privileges(const std::optional<config::Account>& account);

  // One at a time: the next one after kFailed or kEnded. Gives 0, or an errno: it hears nothing.
  // Waits for nobody but it.
  int start_successor(const Gifts& gifts);
  void signal_successor(int signal);
  // It goes on where this process or the spawner ends.
  void spare_successor();
  // The successor is nobody's child from here on. The spawner ends.
  void release();

  // Where reports come, one at a read; its end is the spawner's.
  int descriptor() const { return descriptor_; }

 private:
  Spawner(int descriptor, std::string program)
      : descriptor_(descriptor), program_(std::move(program)) {}
  int send(const void* bytes, std::size_t size, std::span<const int> descriptors = {}) const;

  int descriptor_;
  const std::string program_;
};

}  // namespace gateway
