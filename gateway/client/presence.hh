// Whether a client is still there while it waits for its response and nothing is read from it.
//
// A client that closes its stream may be gone, or may have nothing more to say. Where something can
// be sent ahead of the response, who is gone answers with a reset; where nothing can, it has left
// if it closes while nothing is under way to it. Whoever has gone ends the connection; what
// arrives meanwhile waits in its input.
//
// It belongs to an exchange, which says when it watches and when a pump reads instead.
#pragma once

#include <chrono>
#include <cstdint>

#include "gateway/client/client_stream.hh"
#include "gateway/client/connection.hh"

namespace gateway {

class Presence {
 public:
  // Whoever closes its stream while a response is under way that says nothing for so long has left.
  static constexpr std::chrono::milliseconds kLeavingGrace{50};
  // A client that has sent its next request already is looked at after so long: by then most
  // responses are there.
  static constexpr std::chrono::milliseconds kPipelinedWatch{20};

  Presence(Connection& connection, ClientStream& stream);
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  // What follows the request may be no request.
  void expect_upgrade() { upgrades_ = true; }
  // From the end of the request on: what comes belongs to the next ones.
  void watch();
  // While a part of the request is due that is not read yet: only a reset is noticed. What is
  // on its way already waits in the connection's input.
  void watch_upload();
  // The same while that part is nobody's.
  void watch_hangup() { watch_hangup(uring::Socket::Hangup::kOfAll); }
  // A pump reads, and hears of an end itself unless it is held back.
  void begin_reading();
  void end_reading() { read_ = false; }
  // The response is whole, or somebody else reads from here on.
  void unwatch();

 private:
  void watch_hangup(uring::Socket::Hangup of);
  void let_in();
  void arm_grace(std::chrono::milliseconds after);
  void on_input();
  void on_hung_up();
  void on_grace_over();
  void note_closed();

  Connection& connection_;
  ClientStream& stream_;
  uring::ReadyMember<&Presence::on_input> input_{*this};
  uring::ReadyMember<&Presence::on_hung_up> hung_up_{*this};
  uring::TimerMember<&Presence::on_grace_over> grace_;
  std::uint64_t sent_mark_ = 0;  // what it had been sent when it closed its stream
  bool closed_ = false;          // its stream: it may still read
  bool read_ = false;            // by a pump
  bool read_later_ = false;      // by a pump that has not begun
  bool upgrades_ = false;
};

}  // namespace gateway
