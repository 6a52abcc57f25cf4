// Takes byte by byte until the header is whole: that happens once per cut frame, and the rules
// speak at the first byte that breaks one. A control frame's payload then comes in one copy.
#include "proto/ws/held_frame.hh"

#include <algorithm>
#include <cassert>

namespace ws {

void HeldFrame::assign(Bytes bytes) {
  size_ = 0;
  append(bytes);
}

ParsedHeader HeldFrame::absorb(Bytes& received, const HeaderRules& rules) {
  ParsedHeader parsed = parse_header(bytes(), rules);
  while (parsed.state == ParsedHeader::State::kIncomplete && !received.empty()) {
    append(received.first(1));
    received = received.subspan(1);
    parsed = parse_header(bytes(), rules);
  }
  if (parsed.state != ParsedHeader::State::kComplete || !parsed.header.is_control()) return parsed;

  // parse_header has bounded a control frame's payload.
  const std::size_t frame_bytes = parsed.header_bytes + std::size_t{parsed.header.payload_bytes};
  const std::size_t taken = std::min(frame_bytes - size_, received.size());
  append(received.first(taken));
  received = received.subspan(taken);
  if (size_ < frame_bytes) parsed.state = ParsedHeader::State::kIncomplete;
  return parsed;
}

void HeldFrame::append(Bytes bytes) {
  assert(bytes.size() <= storage_.size() - size_);
  std::ranges::copy(bytes, storage_.begin() + size_);
  size_ = static_cast<std::uint8_t>(size_ + bytes.size());
}

}  // namespace ws
