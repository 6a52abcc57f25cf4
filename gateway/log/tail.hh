// The newest lines of the log as text, for whoever looks at it while it is written, and only while
// somebody does. The log's thread adds them, any other takes them out; who is too slow misses the
// oldest ones, and learns how many.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace gateway {

class LogTail {
 public:
  static constexpr std::size_t kLinesMax = 1024;

  // One that looks, from its beginning on. The tail outlives it.
  class Watch {
   public:
    explicit Watch(LogTail& tail) : tail_(tail) {
      const std::lock_guard lock(tail_.mutex_);
      next_ = tail_.next_;
      tail_.watches_.fetch_add(1, std::memory_order_relaxed);
    }
    ~Watch() {
      const std::lock_guard lock(tail_.mutex_);
      if (tail_.watches_.fetch_sub(1, std::memory_order_relaxed) == 1) tail_.lines_.clear();
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // The next line, without its end; nothing: there is none yet.
    std::optional<std::string> next() {
      const std::lock_guard lock(tail_.mutex_);
      const std::uint64_t oldest = tail_.next_ - tail_.lines_.size();
      if (next_ < oldest) {
        const std::uint64_t missed = oldest - next_;
        next_ = oldest;
        return "... " + std::to_string(missed) + " lines came too fast to be shown";
      }
      if (next_ == tail_.next_) return std::nullopt;
      return tail_.lines_[static_cast<std::size_t>(next_++ - oldest)];
    }

   private:
    LogTail& tail_;
    std::uint64_t next_;  // the number of the line that is its next one
  };

  bool is_watched() const { return watches_.load(std::memory_order_relaxed) > 0; }
  // With its end.
  void add(std::string line) {
    if (line.ends_with('\n')) line.pop_back();
    const std::lock_guard lock(mutex_);
    ++next_;
    lines_.push_back(std::move(line));
    if (lines_.size() > kLinesMax) lines_.pop_front();
  }

 private:
  std::atomic<unsigned> watches_{0};
  std::mutex mutex_;
  std::deque<std::string> lines_;
  std::uint64_t next_ = 0;  // of all lines, the number of the next one
};

}  // namespace gateway
