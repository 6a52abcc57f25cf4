// Follows the frames of one direction of a relay and says which bytes to pass on. It validates
// beside the bytes: payload is neither copied nor looked at, and a client's frames stay masked as
// they came.
//
//     feed(received) -> next() ... next() -> nothing left: receive more, or look at violation() and
//     close_seen()
//
// A control frame is passed on whole, after its payload was checked; a data frame's header is
// passed on whole, its payload as it comes. So what was yielded is valid up to its last byte, and
// what is missing of it is at most the rest of one data frame's payload. The scanner calls nobody,
// and allocates for nothing but a control frame that was cut, or the close frame.
#pragma once

#include <cstdint>
#include <optional>

#include "proto/ws/close.hh"
#include "proto/ws/frame.hh"
#include "proto/ws/held_frame.hh"

namespace ws {

// The next bytes to pass on. They lie in what was fed, or, where a header or a control frame was
// cut, in the scanner: valid until its next next() or feed().
struct Piece {
  Bytes bytes;
};

class FrameScanner {
 public:
  // `rsv_allowed`: see HeaderRules.
  explicit FrameScanner(Sender sender, std::uint8_t rsv_allowed = 0)
      : sender_(sender), rsv_allowed_(rsv_allowed) {}

  // Takes the next received bytes, which stay valid until next() has nothing more.
  // Precondition: next() had nothing more of the ones before. After a violation or a close frame
  // (section 5.5.1: nothing may follow it) bytes are dropped.
  void feed(Bytes received);

  // The next piece, as long as can be. Nothing: the fed bytes are used up, or scanning has ended.
  std::optional<Piece> next();

  // What ended the scanning; next() yields exactly what came before the frame that broke the rule.
  std::optional<Violation> violation() const;

  // The close frame that has been yielded.
  std::optional<ClosePayload> close_seen() const;

  // Ends the scanning where at_frame_boundary() is next true, or now if it is. What was fed behind
  // it is not yielded before resume(); a feed() that comes sooner drops it, and all that follows,
  // for good.
  void stop_at_boundary() { stop_requested_ = true; }
  bool stopped() const { return stop_requested_ && at_frame_boundary(); }
  void resume() { stop_requested_ = false; }

  // No frame of which a part has been yielded is unfinished: a control frame of our own may go in
  // here.
  bool at_frame_boundary() const { return payload_bytes_left_ == 0; }

  // A data message has been begun and not finished. Holds between fragments, too.
  bool message_open() const { return fragments_open_ || payload_bytes_left_ > 0; }

  // Counted as they are yielded: frames of all kinds, and messages, with their (last) header;
  // payload of data frames byte by byte.
  std::uint64_t frames() const { return frames_; }
  std::uint64_t messages() const { return messages_; }
  std::uint64_t payload_bytes() const { return payload_bytes_; }

 private:
  enum class End : std::uint8_t { kNone, kViolation, kClose, kDropped };

  HeaderRules rules() const { return {sender_, rsv_allowed_, fragments_open_}; }
  std::optional<Piece> next_held();
  std::size_t scan();
  void begin_data_frame(bool fin, std::uint64_t payload_bytes);
  std::size_t take_payload(std::size_t available);
  bool take_control_frame(Bytes frame);
  void fail(Violation violation);

  Bytes unscanned_;
  std::uint64_t payload_bytes_left_ = 0;  // of the data frame whose header was yielded
  std::uint64_t frames_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t payload_bytes_ = 0;
  HeldFrame held_;  // after a close frame: that frame
  Sender sender_;
  std::uint8_t rsv_allowed_;
  bool fragments_open_ = false;  // a frame without FIN was the last data frame
  bool stop_requested_ = false;
  End end_ = End::kNone;
  Violation violation_ = {};
};

static_assert(sizeof(FrameScanner) <= 88);

}  // namespace ws
