// Spans on their way from the log's thread to the exporter, on the main thread's loop: so many, and
// so many bytes. What comes beyond that is dropped and counted; nobody ever waits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/log/span_tap.hh"
#include "uring/bell.hh"

namespace gateway::tracing {

class SpanQueue final : public SpanTap {
 public:
  static constexpr std::size_t kBatchSpans = 512;
  static constexpr std::size_t kBatchBytes = 512 * 1024;
  static constexpr std::size_t kBytesMax = 16 * 1024 * 1024;

  // 0: nobody exports any, and none is kept. Any thread.
  void set_room(std::size_t spans);
  // Rung for the first span of a batch, and when a batch is full; null: nobody listens any more.
  void set_bell(uring::Bell* bell);

  // On the log's thread.
  void take(const LogRing::Record& record) override;

  // At most kBatchSpans, and kBatchBytes unless one alone has more; oldest first.
  std::vector<std::string> take_batch();
  std::size_t size() const;
  bool has_batch() const;
  // For want of room.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  // Of a small queue a half is one, too: the rest is room for what comes meanwhile.
  bool is_full_batch() const {
    return spans_.size() >= kBatchSpans || bytes_ >= kBatchBytes || 2 * spans_.size() > room_;
  }

  mutable std::mutex mutex_;
  std::deque<std::string> spans_;
  std::size_t bytes_ = 0;
  std::atomic<std::size_t> room_{0};
  uring::Bell* bell_ = nullptr;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace gateway::tracing
