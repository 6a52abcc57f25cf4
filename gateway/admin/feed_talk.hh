// The WebSocket of a page: it is told what its feed has, as long as it takes that, and may say no
// more than control frames (RFC 6455 section 5.5) and messages that nobody reads.
//
// One coroutine writes, so no frame ever stands inside another one; what the client says only
// leaves it something to write.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "gateway/admin/service.hh"
#include "gateway/link/link.hh"
#include "proto/ws/message_reader.hh"
#include "uring/loop.hh"
#include "uring/task.hh"
#include "uring/timer.hh"

namespace gateway::admin {

class FeedTalk {
 public:
  // Who takes nothing for so long is given up.
  static constexpr std::chrono::seconds kPatience{30};
  // Messages of one time: others wait for the next one.
  static constexpr unsigned kMessagesAtOnce = 64;

  // The link outlives it.
  FeedTalk(uring::Loop& loop, Link& client, Feed feed);

  uring::BlockPool& frames() { return loop_.frames(); }

  // Behind the 101.
  void start();
  // What the client has said; false: it is over, by a close frame that is answered, or by what no
  // client may say.
  bool take(Bytes received);
  // Behind the message that is under way, if any; nothing follows. It is over when the client has
  // answered. False: it is closing already.
  bool close(std::uint16_t code, std::string_view reason);
  // Nothing more is written when this has ended: co_await it before the end.
  uring::Task<> stop();

 private:
  uring::Task<> tell();
  uring::Task<> tell_what_there_is();
  uring::Task<> write_message(std::string text);
  void write_control();
  void on_time();
  void on_late() { client_.abort(); }

  uring::Loop& loop_;
  Link& client_;
  const Feed feed_;
  ws::MessageReader reader_{ws::Sender::kClient};
  uring::TimerMember<&FeedTalk::on_time> timer_;
  uring::TimerMember<&FeedTalk::on_late> late_;
  uring::Event due_;
  uring::Event ended_;
  std::string received_;
  std::string pong_;   // the frame, or empty
  std::string close_;  // likewise: behind it nothing is written
  bool is_time_ = true;
  bool stopping_ = false;
  uring::Task<> telling_;
};

}  // namespace gateway::admin
