// Reads messages for those who consume them (the tools; a relay uses scanner.hh): unmasks in place
// what was fed and yields it as events. It buffers nothing but a cut header or control frame, so a
// long message comes as fragments, in as many parts as it was received.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "proto/ws/close.hh"
#include "proto/ws/frame.hh"
#include "proto/ws/held_frame.hh"

namespace ws {

struct Event {
  enum class Kind : std::uint8_t { kText, kBinary, kPing, kPong, kClose };

  Kind kind;
  bool first = true;  // of a message; with kText and kBinary
  bool last = true;
  bool compressed = false;  // its message has RSV1, where that is allowed
  // Unmasked. In what was fed or in the reader: valid until its next next() or feed(). It may be
  // empty.
  MutableBytes payload;
};

class MessageReader {
 public:
  explicit MessageReader(Sender sender) : sender_(sender) {}

  // Messages may be compressed, since permessage-deflate was agreed on: before anything is fed.
  void allow_compressed() { rsv_allowed_ = kRsv1; }

  // Takes the next received bytes, which stay valid until next() has nothing more, and are written
  // to. Precondition: next() had nothing more of the ones before. After a violation or a close
  // frame bytes are dropped.
  void feed(MutableBytes received);

  // What was fed and not read yet, for whoever feeds it again: its memory is about to go.
  MutableBytes take_unread() { return std::exchange(unread_, {}); }

  // Nothing: the fed bytes are used up, or the stream has ended.
  std::optional<Event> next();

  // What ended the stream: a broken rule, or the close frame whose event has been yielded.
  const std::optional<Violation>& violation() const { return violation_; }
  const std::optional<ClosePayload>& close_seen() const { return close_; }

 private:
  std::optional<Event> next_frame();
  std::optional<MutableBytes> take_frame(const HeaderRules& rules);
  std::optional<Event> next_payload();
  std::optional<Event> control(const ParsedHeader& parsed, MutableBytes frame);

  MutableBytes unread_;
  FrameHeader frame_;                     // the data frame whose payload is read
  std::uint64_t payload_bytes_read_ = 0;  // of it
  HeldFrame held_;
  Sender sender_;
  std::uint8_t rsv_allowed_ = 0;
  Event::Kind message_kind_ = Event::Kind::kBinary;
  bool in_frame_ = false;
  bool fragments_open_ = false;
  bool message_begun_ = false;  // an event of it has been yielded
  bool compressed_ = false;     // the message
  std::optional<Violation> violation_;
  std::optional<ClosePayload> close_;
};

}  // namespace ws
