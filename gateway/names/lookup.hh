// One question to the name servers, by c-ares, which stays behind the .cc: first /etc/hosts, then
// DNS over UDP, or TCP where an answer was truncated. It waits for nothing itself: its driver polls
// the sockets that it names, and tells it of them and of the time.
//
//   start() -> [process() ...] -> finished() -> result()
//
// It has a channel of its own: /etc/resolv.conf is read anew for each, and each asks from other
// ports, which an answer would have to guess. The driver never destroys it from within a call of
// its own.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/config/resolver.hh"

namespace gateway::names {

class Lookup {
 public:
  using Result = std::expected<config::Found, std::string>;
  // Whether the socket is to be looked at; not at all where it is neither: it is about to be
  // closed.
  using Watch = std::function<void(int descriptor, bool for_reading, bool for_writing)>;

  // More addresses of one name are not taken: those that are, are the same ones each time.
  static constexpr std::size_t kAddressesMax = 64;

  Lookup(config::Question question, const config::ResolverSettings& settings, Watch watch);
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  void start();
  // The socket is ready for what it is watched for.
  void process(int descriptor, bool readable, bool writable);
  // Some time has passed.
  void process_time();
  // When process_time() is to be called next, at the latest; nothing: it has ended.
  std::optional<std::chrono::milliseconds> patience() const;
  // It takes too long.
  void give_up();

  bool finished() const;
  // Once, after it has finished.
  Result result();

 private:
  class Story;
  std::unique_ptr<Story> story_;
};

// Asks and waits: where the configuration is read.
Lookup::Result look_up_now(const config::Question& question,
                           const config::ResolverSettings& settings);

// How long a question may take in all, whatever the servers do.
std::chrono::milliseconds patience_of(const config::ResolverSettings& settings);

}  // namespace gateway::names
