// Spans between two threads: how many there may be, and what a batch is.
#include "gateway/tracing/span_queue.hh"

#include <gtest/gtest.h>

#include <string>

#include "gateway/log/line.hh"

namespace gateway::tracing {
namespace {

class SpanQueueTest : public testing::Test {
 protected:
  void add(std::size_t count, std::size_t upstream_bytes = 0, bool traced = true) {
    for (std::size_t i = 0; i < count; ++i) {
      LogLine line(log_, LogLevel::info, "request", traced ? LineOf::span : LineOf::access);
      if (traced) line.span({});
      line.number("id", added_++).word("upstream", std::string(upstream_bytes, 'x')).write();
      ring_.drain([&](const LogRing::Record& record) { queue_.take(record); });
    }
  }
  static std::string id_of(std::size_t id) {
    return R"("gateway.connection","value":{"intValue":")" + std::to_string(id) + "\"}";
  }

  LogRing ring_{"shard=1", 64 * 1024};
  Log log_{ring_, LogLevel::info};
  SpanQueue queue_;
  std::size_t added_ = 0;
};

TEST_F(SpanQueueTest, KeepsNoneWhereNobodyExports) {
  add(3);
  EXPECT_EQ(queue_.size(), 0u);
  EXPECT_EQ(queue_.dropped(), 0u);
  queue_.set_room(10);
  add(3, 0, false);
  EXPECT_EQ(queue_.size(), 0u) << "a line without a span is none";
  add(3);
  EXPECT_EQ(queue_.size(), 3u);
  queue_.set_room(0);
  EXPECT_EQ(queue_.size(), 0u);
  EXPECT_EQ(queue_.dropped(), 3u);
}

TEST_F(SpanQueueTest, DropsWhatFindsNoRoom) {
  queue_.set_room(4);
  add(6);
  EXPECT_EQ(queue_.size(), 4u);
  EXPECT_EQ(queue_.dropped(), 2u);
  const auto batch = queue_.take_batch();
  ASSERT_EQ(batch.size(), 4u);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    EXPECT_NE(batch[i].find(id_of(i)), std::string::npos) << batch[i];
  }
  add(1);
  EXPECT_EQ(queue_.size(), 1u);
  EXPECT_TRUE(queue_.take_batch().front().find(id_of(6)) != std::string::npos);
  EXPECT_TRUE(queue_.take_batch().empty());
}

TEST_F(SpanQueueTest, BatchesHaveABound) {
  queue_.set_room(10'000);
  add(SpanQueue::kBatchSpans - 1);
  EXPECT_FALSE(queue_.has_batch());
  add(2);
  EXPECT_TRUE(queue_.has_batch());
  EXPECT_EQ(queue_.take_batch().size(), SpanQueue::kBatchSpans);
  EXPECT_EQ(queue_.take_batch().size(), 1u);
  queue_.set_room(10);
  add(5);
  EXPECT_FALSE(queue_.has_batch());
  add(1);
  EXPECT_TRUE(queue_.has_batch()) << "more than half of a small queue";
  queue_.take_batch();
  queue_.set_room(10'000);
  // And so have their bytes, and those of all that wait.
  while (!queue_.has_batch()) add(1, 4000);
  EXPECT_LT(queue_.size(), SpanQueue::kBatchSpans);
  std::size_t bytes = 0;
  for (const std::string& span : queue_.take_batch()) bytes += span.size();
  EXPECT_LE(bytes, SpanQueue::kBatchBytes);
  queue_.set_room(65'536);
  while (queue_.dropped() == 0) add(1, 4000);
  EXPECT_LT(queue_.size(), 65'536u);
}

}  // namespace
}  // namespace gateway::tracing
