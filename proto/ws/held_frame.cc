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

HeaderCheck HeldFrame::absorb(Bytes& received, const HeaderRules& rules) {
  HeaderCheck check = check_header(bytes(), rules);
  while (check.state == HeaderCheck::State::kIncomplete && !received.empty()) {
    append(received.first(1));
    received = received.subspan(1);
    check = check_header(bytes(), rules);
  }
  if (check.state != HeaderCheck::State::kComplete || !is_kept_whole(*data(), check)) return check;
  const std::size_t frame_bytes = check.header_bytes + std::size_t{check.payload_bytes};
  const std::size_t taken = std::min(frame_bytes - size_, received.size());
  append(received.first(taken));
  received = received.subspan(taken);
  if (size_ < frame_bytes) check.state = HeaderCheck::State::kIncomplete;
  return check;
}

void HeldFrame::append(Bytes bytes) {
  assert(bytes.size() <= kBytesMax - size_);
  if (!control_frame_ && size_ + bytes.size() > header_.size()) {
    auto control_frame = std::make_unique<ControlFrame>();
    std::ranges::copy(this->bytes(), control_frame->begin());
    control_frame_ = std::move(control_frame);
  }
  std::ranges::copy(bytes, data() + size_);
  size_ = static_cast<std::uint8_t>(size_ + bytes.size());
}

}  // namespace ws
