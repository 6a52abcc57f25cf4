#include "gateway/process/history.hh"

#include <algorithm>

namespace gateway {
namespace {

std::uint64_t ended(const WebSocketTotals& totals) {
  std::uint64_t all = 0;
  for (const std::uint64_t count : totals.ended) all += count;
  return all;
}

}  // namespace

void History::start() {
  last_ = totals_of(shards_);
  last_at_ = loop_.now();
  timer_.arm(last_at_ + kInterval);
}

void History::on_time() {
  const auto now = loop_.now();
  const double seconds = std::chrono::duration<double>(now - last_at_).count();
  const Totals totals = totals_of(shards_);
  // What counts a generation's routes may have gone with it.
  const auto rate = [&](std::uint64_t after, std::uint64_t before) {
    return after > before ? static_cast<double>(after - before) / seconds : 0.0;
  };
  const WebSocketTotals& after = totals.websockets;
  const WebSocketTotals& before = last_.websockets;
  points_[count_++ % kPointsMax] = {
      .time = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
                  .count(),
      .connections = totals.under_way.connections,
      .websockets = totals.under_way.websockets,
      .requests = rate(totals.requests, last_.requests),
      .messages_from_client = rate(after.from_client.messages, before.from_client.messages),
      .messages_from_upstream = rate(after.from_upstream.messages, before.from_upstream.messages),
      .bytes_from_client = rate(after.from_client.payload_bytes, before.from_client.payload_bytes),
      .bytes_from_upstream =
          rate(after.from_upstream.payload_bytes, before.from_upstream.payload_bytes),
      .ended = rate(ended(after), ended(before))};
  last_ = totals;
  last_at_ = now;
  timer_.arm(now + kInterval);
}

admin::Json History::json() const {
  admin::Json points = admin::Json::array();
  const std::size_t size = std::min(count_, kPointsMax);
  for (std::size_t index = count_ - size; index < count_; ++index) {
    const Point& point = points_[index % kPointsMax];
    points.push_back({{"time", point.time},
                      {"connections", point.connections},
                      {"websockets", point.websockets},
                      {"requests_per_second", point.requests},
                      {"messages_from_client_per_second", point.messages_from_client},
                      {"messages_from_upstream_per_second", point.messages_from_upstream},
                      {"bytes_from_client_per_second", point.bytes_from_client},
                      {"bytes_from_upstream_per_second", point.bytes_from_upstream},
                      {"ended_per_second", point.ended}});
  }
  return {{"interval_seconds", kInterval.count()}, {"points", std::move(points)}};
}

}  // namespace gateway
