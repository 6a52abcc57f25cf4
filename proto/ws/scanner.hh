// Follows the frames of one direction of a relay and says which bytes to pass on. It validates
// beside the bytes: payload is not copied, and a client's frames stay masked as they came.
//
//     feed(received) -> next() ... next() -> nothing left: receive more, or look at violation() and
//     close_seen()
//
// A control frame is passed on whole, after its payload was checked; a data frame's header is
// passed on whole, its payload as it comes, text up to its first invalid byte. So what was yielded
// is valid up to its last byte, and what is missing of it is at most the rest of one data frame's
// payload. A message whose text ends inside a character is not yielded to its end. The scanner
// calls nobody, and allocates for nothing but a control frame that was cut, or the close frame.
//
// Text is looked at unless an extension's bit says that it is something else, such as compressed,
// and not at all where an unknown extension may have changed it (kAnyRsv). Limits and rates go by
// headers there, too; opcodes and control frames stay as RFC 6455 has them.
// Limits go by the lengths that headers declare: a frame that is too large, or makes its message
// so, ends the scanning before its header.
//
// With Validation::kOff the peers are to judge. What is left is what our own frames need, which go
// in between others, and the end: where each frame ends, and the close frame. A length has one
// meaning for everybody but above 63 bits, so that stays a violation; the mask bit itself says
// whether a key follows, as it does to a peer. Nothing else can lead the scanner astray, since it
// goes by no other field: bits, opcodes and the order of fragments are not looked at, a control
// frame that is too long passes as data does, and a close frame, whatever it says, is the last one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "proto/ws/close.hh"
#include "proto/ws/frame.hh"
#include "proto/ws/held_frame.hh"
#include "proto/ws/message_sizes.hh"
#include "proto/ws/scan_rules.hh"
#include "proto/ws/utf8.hh"

namespace ws {

// The next bytes to pass on. They lie in what was fed, or, where a header or a control frame was
// cut, in the scanner: valid until its next next() or feed().
struct Piece {
  Bytes bytes;
};

// A rule that was broken, and where.
struct BrokenRule {
  Violation violation;
  // Of all that was fed, counted from 0: where the frame begins; of a text the byte that no valid
  // one could have there, or, if it ends inside a character, the last one of its last frame, unless
  // that is empty.
  std::uint64_t offset;
  std::uint64_t frame;  // counted from 1
};

// What marks the pings that whoever passes frames on sends of its own, so that their answers can be
// told from all others: 7 bytes that nobody else knows, and a number.
struct OwnPing {
  std::array<std::byte, 8> payload;
};

// What somebody wants to know, and to keep, of the control frames of one direction.
struct ControlFrames {
  const OwnPing* own_ping = nullptr;   // pongs with this mark are not yielded
  std::optional<std::uint8_t> answer;  // the number of the last one of those
  std::uint32_t count = 0;             // of all; goes on at 0 behind the most
};

class FrameScanner {
 public:
  explicit FrameScanner(Sender sender, const ScanRules& rules = {});

  // Takes the next received bytes, which stay valid until next() has nothing more.
  // Precondition: next() had nothing more of the ones before. After a violation or a close frame
  // (section 5.5.1: nothing may follow it) bytes are dropped.
  void feed(Bytes received);

  // The next piece, as long as can be. Nothing: the fed bytes are used up, or scanning has ended.
  // Messages of which it has the last header are counted in `sizes`; null: nobody asks.
  std::optional<Piece> next(MessageSizes* sizes = nullptr);

  // What ended the scanning; next() yields exactly what came before the frame that broke the rule,
  // or before the byte in it.
  std::optional<Violation> violation() const;
  std::optional<BrokenRule> broken_rule() const;

  // The close frame that has been yielded.
  std::optional<ClosePayload> close_seen() const;

  // Ends the scanning where at_frame_boundary() is next true, or now if it is. What was fed behind
  // it is not yielded before resume(); a feed() that comes sooner drops it, and all that follows,
  // for good.
  void stop_at_boundary() { stop_requested_ = true; }
  bool stopped() const { return stop_requested_ && at_frame_boundary(); }
  void resume() { stop_requested_ = false; }

  // Text has to be UTF-8.
  bool checks_text() const { return validation_ == Validation::kFull; }

  // For who has to wait before it asks for more: what next() has not looked at, and that the same
  // bytes lie somewhere else from here on.
  Bytes unscanned() const { return unscanned_; }
  void move_unscanned(const std::byte* to) { unscanned_ = {to, unscanned_.size()}; }

  // What a compressed message becomes breaks a rule, which whoever inflates it has found in what
  // was yielded last, but for `bytes_behind` of it, in which so many frames begin: ends the
  // scanning as a rule does that is broken there.
  void fail_inflated(Violation violation, std::size_t bytes_behind, std::size_t frames_behind);

  // From here on; `control_frames` is there for as long as anything is fed.
  void watch(ControlFrames& control_frames) { watched_ = &control_frames; }

  // No frame of which a part has been yielded is unfinished: a control frame of our own may go in
  // here.
  bool at_frame_boundary() const { return payload_bytes_left_ == 0; }
  // Of the frame that is under way.
  std::uint64_t payload_bytes_left() const { return payload_bytes_left_; }

  // A data message has been begun and not finished. Holds between fragments, too.
  bool message_open() const { return fragments_open_ || payload_bytes_left_ > 0; }

  // Counted as they are yielded: frames of all kinds, and messages, with their (last) header;
  // payload of data frames byte by byte.
  std::uint64_t frames() const { return frames_; }
  std::uint64_t messages() const { return messages_; }
  std::uint64_t payload_bytes() const { return payload_bytes_; }
  // Counted with their first header: those that have RSV1 there, where that is the only bit that
  // may be set. So permessage-deflate has been agreed (RFC 7692 section 6), and nothing else that
  // uses it.
  std::uint64_t compressed_messages() const {
    return rsv_allowed_ == kRsv1 ? compressed_messages_ : 0;
  }
  // In all; after a violation only those before it.
  std::uint64_t fed_bytes() const { return fed_bytes_; }
  // With their first header.
  std::uint64_t messages_begun() const { return messages_ + (fragments_open_ ? 1 : 0); }

 private:
  enum class End : std::uint8_t { kNone, kViolation, kClose, kDropped };

  HeaderRules rules() const {
    return {sender_, rsv_allowed_, fragments_open_, validation_ == Validation::kOff};
  }
  Bytes next_held(MessageSizes* sizes);
  std::size_t scan(MessageSizes* sizes);
  std::optional<Violation> broken_limit(std::uint64_t payload_bytes) const;
  bool take_data_header(Bytes header, std::uint64_t payload_bytes, std::size_t bytes_behind,
                        MessageSizes* sizes);
  std::size_t take_payload(Bytes available);
  std::size_t check_text(Bytes payload, std::size_t bytes_behind);
  bool take_out(Bytes control_frame);
  bool take_control_frame(Bytes frame, std::size_t bytes_behind);
  void fail(Violation violation, std::size_t bytes_behind);

  Bytes unscanned_;
  std::uint64_t payload_bytes_left_ = 0;  // of the data frame whose header was yielded
  std::uint64_t frames_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t compressed_messages_ = 0;  // if that is what RSV1 says
  ControlFrames* watched_ = nullptr;
  std::uint64_t fed_bytes_ = 0;    // after a violation: where it is
  HeldFrame held_;                 // after a close frame: that frame
  std::uint32_t frame_bytes_max_;  // no more than the next
  std::uint32_t message_bytes_max_;
  std::uint32_t message_bytes_ = 0;  // declared by its frames so far, or the most that fits
  std::uint32_t mask_word_ = 0;      // for the next byte of a text
  Utf8Validator text_;               // of a text message that is open; else complete
  std::uint8_t rsv_allowed_;
  End end_ = End::kNone;
  Violation violation_ = {};
  Sender sender_ : 1;
  Validation validation_ : 2;
  bool checks_text_ : 1 = false;     // of the newest data frame
  bool fragments_open_ : 1 = false;  // a frame without FIN was the last data frame
  bool stop_requested_ : 1 = false;
};

static_assert(sizeof(FrameScanner) <= 120);

}  // namespace ws
