#include "gateway/log/ring.hh"

#include <algorithm>
#include <bit>

namespace gateway {

LogRing::LogRing(std::string source, size_t capacity_bytes)
    : source_(std::move(source)),
      mask_(std::bit_ceil(std::max(capacity_bytes, 2 * sizeof(Header))) - 1),
      bytes_(std::make_unique_for_overwrite<char[]>(mask_ + 1)) {}

bool LogRing::append(LogLevel level, int64_t time_ns, std::string_view text, RecordKind kind) {
  const uint64_t written = written_.load(std::memory_order_relaxed);
  const size_t needed = sizeof(Header) + text.size();
  if (written + needed - read_seen_ > capacity_bytes()) {
    // Acquire: the consumer's copies out of that room are over before it is written again.
    read_seen_ = read_.load(std::memory_order_acquire);
    if (written + needed - read_seen_ > capacity_bytes()) {
      const bool is_line = kind != RecordKind::span;
      (is_line ? dropped_ : dropped_spans_).fetch_add(1, std::memory_order_relaxed);
      return false;
    }
  }
  const Header header{time_ns, static_cast<uint32_t>(text.size()), level, kind};
  copy_to(written, &header, sizeof header);
  copy_to(written + sizeof header, text.data(), text.size());
  written_.store(written + needed, std::memory_order_release);
  return true;
}

LogRing::Record LogRing::front() {
  const uint64_t read = read_.load(std::memory_order_relaxed);
  Header header;
  copy_from(read, &header, sizeof header);
  taken_.resize(header.text_bytes);
  copy_from(read + sizeof header, taken_.data(), taken_.size());
  return {header.time_ns, header.level, taken_, header.kind};
}

void LogRing::pop() {
  const uint64_t read = read_.load(std::memory_order_relaxed);
  read_.store(read + sizeof(Header) + taken_.size(), std::memory_order_release);
}

void LogRing::copy_to(uint64_t position, const void* from, size_t bytes) {
  const size_t start = position & mask_;
  const size_t head = std::min(bytes, capacity_bytes() - start);
  const char* const source = static_cast<const char*>(from);
  std::copy_n(source, head, bytes_.get() + start);
  std::copy_n(source + head, bytes - head, bytes_.get());
}

void LogRing::copy_from(uint64_t position, void* to, size_t bytes) const {
  const size_t start = position & mask_;
  const size_t head = std::min(bytes, capacity_bytes() - start);
  char* const target = static_cast<char*>(to);
  std::copy_n(bytes_.get() + start, head, target);
  std::copy_n(bytes_.get(), bytes - head, target + head);
}

}  // namespace gateway
