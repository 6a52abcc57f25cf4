// What a capture of one WebSocket has seen: the headers of its frames, as they passed, and where it
// is wished a first part of what they carry. The shard writes it, the main thread takes it out.
// Bounded: what nobody takes out in time is counted and forgotten, and never waited for.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gateway/link/end.hh"
#include "proto/ws/frame.hh"

namespace gateway {

struct CapturedFrame {
  std::chrono::system_clock::time_point at;
  Party sender;
  ws::FrameHeader header;  // as it came, its mask key excepted where nothing of the payload is kept
  std::string payload;     // unmasked; of a data frame what came with its header, up to a bound
};

class FrameCapture {
 public:
  static constexpr std::size_t kFramesMax = 4096;
  static constexpr std::size_t kPayloadBytesMax = 1024;        // of each frame
  static constexpr std::size_t kWaitingBytesMax = 256 * 1024;  // of all that nobody has taken

  explicit FrameCapture(bool with_payload) : with_payload_(with_payload) {}
  FrameCapture(const FrameCapture&) = delete;
  FrameCapture& operator=(const FrameCapture&) = delete;

  bool with_payload() const { return with_payload_; }

  // On the shard's thread.
  void add(CapturedFrame frame) {
    const std::lock_guard lock(mutex_);
    const bool has_room =
        frames_.size() < kFramesMax && waiting_bytes_ + frame.payload.size() <= kWaitingBytesMax;
    if (!has_room) {
      ++lost_;
    } else {
      waiting_bytes_ += frame.payload.size();
      frames_.push_back(std::move(frame));
    }
  }
  // The WebSocket has ended.
  void end() { ended_.store(true, std::memory_order_release); }

  // On the main thread.
  struct Taken {
    std::vector<CapturedFrame> frames;
    std::uint64_t lost = 0;  // since the last time
    bool is_last = false;
  };
  Taken take() {
    const bool ended = ended_.load(std::memory_order_acquire);
    const std::lock_guard lock(mutex_);
    waiting_bytes_ = 0;
    return {std::exchange(frames_, {}), std::exchange(lost_, 0), ended};
  }
  // Nobody takes anything out any more: it leaves the WebSocket with the next frame.
  void stop() { stopped_.store(true, std::memory_order_relaxed); }
  bool is_stopped() const { return stopped_.load(std::memory_order_relaxed); }

 private:
  const bool with_payload_;
  std::atomic<bool> ended_{false};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::vector<CapturedFrame> frames_;
  std::size_t waiting_bytes_ = 0;  // of payload
  std::uint64_t lost_ = 0;
};

}  // namespace gateway
