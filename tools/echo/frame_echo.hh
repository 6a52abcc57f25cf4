// Turns a client's frames into the server's: each frame of the client becomes one of ours, with the
// same opcode, fragmentation and payload, unmasked, and as long a header at most. So what comes out
// is never more than what went in, frames may be of any length, and payload goes on as it comes.
// Pings become pongs. After a close frame, which is answered, nothing is taken any more.
#pragma once

#include "proto/ws/held_frame.hh"
#include "tools/common/runtime.hh"

namespace echo {

class FrameEcho {
 public:
  // Takes all of `received`, unmasking it in place, and writes the echo to `link`.
  void take(proto::MutableBytes received, tools::Link& link);

  // The close frame was answered, or a violation was answered with one.
  bool over() const { return over_; }

 private:
  ws::ParsedHeader next_header(proto::MutableBytes& received);
  void begin_data(const ws::FrameHeader& header, tools::Link& link);
  void answer_control(const ws::ParsedHeader& parsed, tools::Link& link);

  ws::HeldFrame held_;
  ws::FrameHeader frame_;
  std::uint64_t payload_taken_ = 0;
  std::uint64_t payload_left_ = 0;
  bool message_open_ = false;
  bool over_ = false;
};

}  // namespace echo
