// One shard's log lines on their way to the writer: a bounded ring of bytes that holds records.
// One thread appends, one thread drains; neither ever waits for the other. A record that does not
// fit is dropped and counted. Invariant: read_ <= written_ <= read_ + capacity, both only grow, and
// the bytes between them are whole records.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/log/level.hh"

namespace gateway {

// What a record is: a line as it is to be read, or the fields of one (fields.hh), which may be that
// of a request, a WebSocket or a tunnel; or fields that are no line, but a span.
enum class RecordKind : uint8_t { text, fields, access, span };

class LogRing {
 public:
  // `source` names the thread in each line ("shard=1"); the capacity is rounded up to a power of 2.
  LogRing(std::string source, size_t capacity_bytes);
  LogRing(const LogRing&) = delete;
  LogRing& operator=(const LogRing&) = delete;

  struct Record {
    int64_t time_ns;  // since 1970, UTC
    LogLevel level;
    std::string_view text;  // valid until the drain function returns; see RecordKind
    RecordKind kind = RecordKind::text;
  };

  // The producer's thread only. False: there was no room, and the drop is counted.
  bool append(LogLevel level, int64_t time_ns, std::string_view text,
              RecordKind kind = RecordKind::text);

  // The consumer's thread only: hands over the records that are there at the call, in order.
  template <typename Take>
  void drain(Take&& take) {
    const uint64_t end = written_.load(std::memory_order_acquire);
    while (read_.load(std::memory_order_relaxed) != end) {
      take(front());
      pop();
    }
  }

  // Which records are wanted; any thread.
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  bool wants(LogLevel level) const { return level <= level_.load(std::memory_order_relaxed); }

  // Access lines are wanted whatever the level: they go elsewhere. Any thread.
  void set_access_apart(bool apart) { access_apart_.store(apart, std::memory_order_relaxed); }
  bool wants_access(LogLevel level) const {
    return wants(level) || access_apart_.load(std::memory_order_relaxed);
  }

  // Records lost since the ring was made, and those that were spans alone. Any thread.
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  uint64_t dropped_spans() const { return dropped_spans_.load(std::memory_order_relaxed); }
  const std::string& source() const { return source_; }
  size_t capacity_bytes() const { return mask_ + 1; }

 private:
  struct Header {
    int64_t time_ns;
    uint32_t text_bytes;
    LogLevel level;
    RecordKind kind;
  };

  Record front();
  void pop();
  void copy_to(uint64_t position, const void* from, size_t bytes);
  void copy_from(uint64_t position, void* to, size_t bytes) const;

  const std::string source_;
  std::atomic<LogLevel> level_{LogLevel::info};
  std::atomic<bool> access_apart_{false};
  const size_t mask_;
  const std::unique_ptr<char[]> bytes_;
  std::string taken_;  // the consumer's copy of the record at the front
  alignas(64) std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> dropped_{0};
  std::atomic<uint64_t> dropped_spans_{0};
  uint64_t read_seen_ = 0;  // the producer's last look at read_
  alignas(64) std::atomic<uint64_t> read_{0};
};

}  // namespace gateway
