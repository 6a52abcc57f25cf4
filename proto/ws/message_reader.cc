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
  const HeaderRules rules = {.sender = sender_, .message_open = fragments_open_};
  MutableBytes frame = unread_;
  ParsedHeader parsed;
  if (held_.empty()) parsed = parse_header(frame, rules);
  std::size_t frame_bytes = parsed.header_bytes;
  if (parsed.header.is_control()) frame_bytes += parsed.header.payload_bytes;
  if (parsed.state == ParsedHeader::State::kIncomplete || unread_.size() < frame_bytes) {
    Bytes received = unread_;
    parsed = held_.absorb(received, rules);
    unread_ = unread_.last(received.size());
    frame = held_.bytes();
  } else {
    frame = unread_.first(frame_bytes);
    unread_ = unread_.subspan(frame_bytes);
  }
  if (parsed.state == ParsedHeader::State::kIncomplete) return std::nullopt;
  held_.clear();
  if (parsed.state == ParsedHeader::State::kViolation) {
    violation_ = parsed.violation;
    return std::nullopt;
  }
  if (parsed.header.is_control()) return control(parsed, frame);

  frame_ = parsed.header;
  payload_bytes_read_ = 0;
  in_frame_ = true;
  fragments_open_ = !frame_.fin;
  if (frame_.opcode != Opcode::kContinuation) {
    message_kind_ = frame_.opcode == Opcode::kText ? Event::Kind::kText : Event::Kind::kBinary;
    message_begun_ = false;
  }
  return next_payload();
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
  return Event{.kind = message_kind_, .first = first, .last = last, .payload = payload};
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
