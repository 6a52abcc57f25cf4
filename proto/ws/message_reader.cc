// A data frame is read in steps: its header, then each part of its payload that was received.
#include "proto/ws/message_reader.hh"

#include <algorithm>
#include <cassert>

namespace ws {

void MessageReader::feed(MutableBytes received) {
  assert(unread_.empty() || violation_ || close_);
  unread_ = received;
}

std::optional<Event> MessageReader::next() {
  while (!violation_ && !close_) {
    if (auto event = in_frame_ ? next_payload() : next_frame()) return event;
    if (unread_.empty()) break;
  }
  return std::nullopt;
}

// Reads a header, and yields a control frame or what is here of a data frame.
std::optional<Event> MessageReader::next_frame() {
  const HeaderRules rules = {
      .sender = sender_, .rsv_allowed = rsv_allowed_, .message_open = fragments_open_};
  const auto frame = take_frame(rules);
  if (!frame) return std::nullopt;
  const ParsedHeader parsed = parse_header(*frame, rules);
  if (parsed.header.is_control()) return control(parsed, *frame);

  frame_ = parsed.header;
  payload_bytes_read_ = 0;
  in_frame_ = true;
  fragments_open_ = !frame_.fin;
  if (frame_.opcode != Opcode::kContinuation) {
    message_kind_ = frame_.opcode == Opcode::kText ? Event::Kind::kText : Event::Kind::kBinary;
    message_begun_ = false;
    compressed_ = (frame_.rsv & kRsv1) != 0;
  }
  return next_payload();
}

// Takes a data frame's header or a whole control frame, which is held if it came in parts.
std::optional<MutableBytes> MessageReader::take_frame(const HeaderRules& rules) {
  if (held_.empty()) {
    const HeaderCheck check = check_header(unread_, rules);
    const bool control = !unread_.empty() && (unread_[0] & std::byte{8}) != std::byte{0};
    const std::size_t frame_bytes = check.header_bytes + (control ? check.payload_bytes : 0);
    if (check.state == HeaderCheck::State::kComplete && unread_.size() >= frame_bytes) {
      const MutableBytes frame = unread_.first(frame_bytes);
      unread_ = unread_.subspan(frame_bytes);
      return frame;
    }
  }
  Bytes received = unread_;
  const HeaderCheck check = held_.absorb(received, rules);
  unread_ = unread_.last(received.size());
  if (check.state == HeaderCheck::State::kViolation) violation_ = check.violation;
  if (check.state != HeaderCheck::State::kComplete) return std::nullopt;
  const MutableBytes frame = held_.bytes();
  held_.clear();
  return frame;
}

// Nothing: no payload is here, or the frame was empty and does not end its message.
std::optional<Event> MessageReader::next_payload() {
  const std::uint64_t left = frame_.payload_bytes - payload_bytes_read_;
  const MutableBytes payload = unread_.first(std::min<std::uint64_t>(left, unread_.size()));
  if (payload.empty() && left > 0) return std::nullopt;
  if (frame_.masked) apply_mask(payload, frame_.mask_key, payload_bytes_read_);
  unread_ = unread_.subspan(payload.size());
  payload_bytes_read_ += payload.size();
  in_frame_ = payload.size() < left;
  const bool last = frame_.fin && !in_frame_;
  if (payload.empty() && !last) return std::nullopt;
  const bool first = !message_begun_;
  message_begun_ = true;
  return Event{.kind = message_kind_,
               .first = first,
               .last = last,
               .compressed = compressed_,
               .payload = payload};
}

std::optional<Event> MessageReader::control(const ParsedHeader& parsed, MutableBytes frame) {
  const MutableBytes payload = frame.subspan(parsed.header_bytes);
  if (parsed.header.masked) apply_mask(payload, parsed.header.mask_key);
  if (parsed.header.opcode == Opcode::kPing)
    return Event{.kind = Event::Kind::kPing, .payload = payload};
  if (parsed.header.opcode == Opcode::kPong)
    return Event{.kind = Event::Kind::kPong, .payload = payload};
  const auto close = parse_close(payload);
  if (!close) {
    violation_ = close.error();
    return std::nullopt;
  }
  close_ = *close;
  return Event{.kind = Event::Kind::kClose, .payload = payload};
}

}  // namespace ws
