// Walks frames that a FrameScanner has passed, for who makes others of them: a header of a data
// frame or a control frame at a time, each of which such pieces have whole, and payload as it
// comes.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>

#include "proto/ws/frame.hh"

namespace ws {

class FrameWalker {
 public:
  // Payload of a data frame comes next, if there is more.
  bool in_payload() const { return payload_bytes_left_ > 0; }
  std::uint64_t payload_bytes_left() const { return payload_bytes_left_; }

  // The newest data frame, and where in its payload the next byte lies.
  const FrameHeader& frame() const { return frame_; }
  std::uint64_t offset() const { return frame_.payload_bytes - payload_bytes_left_; }

  // Takes a whole control frame, or the header of a data frame, off the front; the former is given,
  // the latter is frame() then. Precondition: a piece of a scanner, not empty, and !in_payload().
  Bytes take_head(Bytes& frames) {
    assert(!frames.empty() && !in_payload());
    const ParsedHeader parsed = parse_header(frames, {.lax = true});
    assert(parsed.state == HeaderCheck::State::kComplete);
    const bool control = parsed.header.is_control();
    const std::size_t taken = parsed.header_bytes + (control ? parsed.header.payload_bytes : 0);
    const Bytes head = frames.first(taken);
    frames = frames.subspan(taken);
    if (control) return head;
    frame_ = parsed.header;
    payload_bytes_left_ = frame_.payload_bytes;
    return {};
  }

  // What is there of the payload, masked as it came, and not more than so much.
  Bytes payload(Bytes frames, std::size_t bytes_max) const {
    return frames.first(static_cast<std::size_t>(
        std::min<std::uint64_t>({payload_bytes_left_, frames.size(), bytes_max})));
  }
  void take_payload(Bytes& frames, std::size_t bytes) {
    assert(bytes <= payload_bytes_left_);
    frames = frames.subspan(bytes);
    payload_bytes_left_ -= bytes;
  }

  // How many begin in it.
  std::size_t frames_in(Bytes frames) const {
    FrameWalker ahead = *this;
    ahead.take_payload(frames, ahead.payload(frames, frames.size()).size());
    std::size_t count = 0;
    for (; !frames.empty(); ++count) {
      ahead.take_head(frames);
      ahead.take_payload(frames, ahead.payload(frames, frames.size()).size());
    }
    return count;
  }

  // The key for payload from here on, as if a frame began here.
  MaskKey key_from_here() const {
    MaskKey key = frame_.mask_key;
    std::ranges::rotate(key, key.begin() + static_cast<long>(offset() % sizeof(MaskKey)));
    return key;
  }

 private:
  FrameHeader frame_;
  std::uint64_t payload_bytes_left_ = 0;
};

}  // namespace ws
