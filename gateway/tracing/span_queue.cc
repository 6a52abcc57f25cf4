#include "gateway/tracing/span_queue.hh"

#include <utility>

#include "gateway/tracing/span_json.hh"

namespace gateway::tracing {

void SpanQueue::set_room(std::size_t spans) {
  const std::lock_guard lock(mutex_);
  room_ = spans;
  if (spans > 0) return;
  dropped_ += spans_.size();
  spans_.clear();
  bytes_ = 0;
}

void SpanQueue::set_bell(uring::Bell* bell) {
  const std::lock_guard lock(mutex_);
  bell_ = bell;
}

void SpanQueue::take(const LogRing::Record& record) {
  const auto mark = span_of(record);
  if (!mark || room_.load(std::memory_order_relaxed) == 0) return;
  std::string span = span_json(record, *mark);
  const std::lock_guard lock(mutex_);
  if (spans_.size() >= room_ || bytes_ + span.size() > kBytesMax) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const bool was_full = is_full_batch();
  bytes_ += span.size();
  spans_.push_back(std::move(span));
  const bool is_first = spans_.size() == 1;
  if (bell_ != nullptr && (is_first || (is_full_batch() && !was_full))) bell_->ring();
}

std::vector<std::string> SpanQueue::take_batch() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> batch;
  std::size_t bytes = 0;
  while (!spans_.empty() && batch.size() < kBatchSpans) {
    bytes += spans_.front().size();
    if (!batch.empty() && bytes > kBatchBytes) break;
    bytes_ -= spans_.front().size();
    batch.push_back(std::move(spans_.front()));
    spans_.pop_front();
  }
  return batch;
}

std::size_t SpanQueue::size() const {
  const std::lock_guard lock(mutex_);
  return spans_.size();
}

bool SpanQueue::has_batch() const {
  const std::lock_guard lock(mutex_);
  return is_full_batch();
}

}  // namespace gateway::tracing
