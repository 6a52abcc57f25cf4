#include "tools/echo/frame_echo.hh"

#include <algorithm>

#include "proto/ws/close.hh"

namespace echo {

void FrameEcho::take(proto::MutableBytes received, tools::Link& link) {
  while (!received.empty() && !over_) {
    if (payload_left_ > 0) {
      const auto payload = received.first(std::min<std::uint64_t>(payload_left_, received.size()));
      ws::apply_mask(payload, frame_.mask_key, payload_taken_);
      link.write(payload);
      payload_taken_ += payload.size();
      payload_left_ -= payload.size();
      received = received.subspan(payload.size());
      continue;
    }
    const ws::ParsedHeader parsed = next_header(received);
    if (parsed.state == ws::ParsedHeader::State::kIncomplete) return;
    if (parsed.state == ws::ParsedHeader::State::kViolation) {
      link.write(ws::make_close(close_code(parsed.violation), describe(parsed.violation)).bytes());
      over_ = true;
    } else if (parsed.header.is_control()) {
      answer_control(parsed, link);
    } else {
      begin_data(parsed.header, link);
    }
  }
}

// A whole control frame, or what was cut, is taken into held_; all else stays where it is.
ws::ParsedHeader FrameEcho::next_header(proto::MutableBytes& received) {
  const ws::HeaderRules rules{.message_open = message_open_};
  ws::ParsedHeader parsed;
  if (held_.empty()) parsed = ws::parse_header(received, rules);
  if (parsed.state == ws::ParsedHeader::State::kIncomplete || parsed.header.is_control()) {
    proto::Bytes rest = received;
    const ws::HeaderCheck check = held_.absorb(rest, rules);
    received = received.last(rest.size());
    if (check.state == ws::HeaderCheck::State::kComplete) {
      return ws::parse_header(held_.bytes(), rules);
    }
    parsed.state = check.state;
    parsed.violation = check.violation;
  } else {
    received = received.subspan(parsed.header_bytes);
  }
  return parsed;
}

void FrameEcho::begin_data(const ws::FrameHeader& header, tools::Link& link) {
  held_.clear();
  frame_ = header;
  payload_taken_ = 0;
  payload_left_ = header.payload_bytes;
  message_open_ = !header.fin;
  ws::FrameHeader ours = header;
  ours.masked = false;
  link.write(ws::encode_header(ours).bytes());
}

void FrameEcho::answer_control(const ws::ParsedHeader& parsed, tools::Link& link) {
  const proto::MutableBytes payload = held_.bytes().subspan(parsed.header_bytes);
  ws::apply_mask(payload, parsed.header.mask_key);
  if (parsed.header.opcode == ws::Opcode::kPing) {
    link.write(ws::make_pong(payload).bytes());
  } else if (parsed.header.opcode == ws::Opcode::kClose) {
    const auto close = ws::parse_close(payload);
    link.write(close ? ws::make_close(close->code, close->reason()).bytes()
                     : ws::make_close(close_code(close.error()), describe(close.error())).bytes());
    over_ = true;
  }
  held_.clear();
}

}  // namespace echo
