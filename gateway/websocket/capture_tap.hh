// Where a relay has a capture: it walks through the pieces that the scanners have passed, from the
// next border between two frames on, in each direction by itself. It goes with the relay, or when
// nobody takes anything out any more; few WebSockets ever have one.
#pragma once

#include <array>
#include <memory>

#include "gateway/websocket/frame_capture.hh"
#include "proto/ws/frame_walker.hh"
#include "uring/block_pool.hh"

namespace gateway {

class CaptureTap {
 public:
  // Its memory is of the pool.
  CaptureTap(uring::BlockPool& pool, std::shared_ptr<FrameCapture> capture)
      : pool_(pool), capture_(std::move(capture)) {}
  ~CaptureTap() { capture_->end(); }
  CaptureTap(const CaptureTap&) = delete;
  CaptureTap& operator=(const CaptureTap&) = delete;

  uring::BlockPool& frames() { return pool_; }

  bool is_stopped() const { return capture_->is_stopped(); }
  // A piece of what this peer sends, whole as a scanner gives it; so many bytes of the frame before
  // are at its front.
  void note(Party sender, proto::Bytes piece, std::uint64_t payload_bytes_left);

 private:
  struct Direction {
    ws::FrameWalker frames;
    bool is_aligned = false;
  };

  void add_control(Party sender, proto::Bytes frame);
  void add_data(Party sender, const Direction& way, proto::Bytes behind);
  void add(Party sender, const ws::FrameHeader& header, proto::Bytes payload);

  uring::BlockPool& pool_;
  const std::shared_ptr<FrameCapture> capture_;
  std::array<Direction, 2> ways_;
};

}  // namespace gateway
