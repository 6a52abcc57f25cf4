// A successor's side of an upgrade (process/upgrade.hh has its predecessor's). Whoever was started
// by a gateway that serves finds its listening sockets as a service manager gives them
// (LISTEN_FDS), and in GATEWAY_HANDOVER where the channel to it is. One packet is a word:
//
//   successor                                   predecessor
//       | set up, nobody accepted yet                | serves
//       |---- ready, which sockets it has ---------->|
//       |<--- go ------------------------------------|
//       | real stderr; accepts                       |
//       |---- serving ------------------------------>| service manager: MAINPID is the successor's
//       |<--- main ----------------------------------|
//       | pid file, control socket, READY=1          | accepts no more, drains
//       |---- taken over --------------------------->| says so to whoever has asked
//
// Until `go` the successor lets nobody in, so its end cuts nobody; from `go` on it goes on by
// itself, also where the predecessor ends.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/process/descriptor_reader.hh"
#include "uring/loop.hh"
#include "uring/task.hh"

namespace gateway {

inline constexpr const char* kHandoverVariable = "GATEWAY_HANDOVER";

// In `ready` a byte for each socket follows: whether the successor has it.
inline constexpr char kReadyWord = 'r', kGoWord = 'g', kServingWord = 's', kMainWord = 'm',
                      kTakenOverWord = 't';
inline constexpr char kHasSocket = '1', kHasNotSocket = '0';
inline constexpr std::size_t kSocketsHandedDownMax = 60'000;

// What the variable says: descriptors, and how many of the sockets are left to the successor alone.
struct HandoverPlaces {
  pid_t pid;
  int channel;
  int standard_error;  // the real one: until `go` the predecessor logs what is said at stderr
  std::size_t left;
};
std::string print_handover(const HandoverPlaces& places);

class Handover {
 public:
  // How long a predecessor may take for its answer; it is asked once the successor is ready.
  static constexpr std::chrono::seconds kPatience{10};

  // Null: this process is nobody's successor. Takes the variable out of the environment.
  static std::unique_ptr<Handover> from_environment();
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  int standard_error() const { return places_.standard_error; }
  std::size_t left() const { return places_.left; }

  // Waits for `go`. The error is a whole sentence: it is not to serve.
  std::expected<void, std::string> report_ready(const std::vector<bool>& taken);
  // On the loop's thread: taken_over() follows once the predecessor accepts nobody any more.
  void report_serving(uring::Loop& loop, std::function<void()> taken_over);
  uring::Task<> stop();
  // Before that this process is not to be succeeded itself.
  bool is_main() const { return is_main_; }

 private:
  explicit Handover(const HandoverPlaces& places) : places_(places) {}
  bool say(std::string_view words) const;
  void put_stderr_back();

  HandoverPlaces places_;
  std::unique_ptr<DescriptorReader> listening_;  // for the last word
  bool is_main_ = false;
};

}  // namespace gateway
