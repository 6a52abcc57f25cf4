#include "gateway/process/history.hh"

#include <algorithm>

namespace gateway {

using admin::Json;

void History::start() {
  last_ = earlier_ = totals_of(shards_);
  last_busy_seconds_ = shards_.busy_seconds();
  last_at_ = loop_.now();
  timer_.arm(last_at_ + kInterval);
}

void History::note_busy(double seconds) {
  const std::vector<double> now = shards_.busy_seconds();
  busy_ = 0;
  for (std::size_t index = 0; index < std::min(now.size(), last_busy_seconds_.size()); ++index)
    busy_ = std::max(busy_, (now[index] - last_busy_seconds_[index]) / seconds);
  busy_ = std::min(busy_, 1.0);
  last_busy_seconds_ = now;
}

void History::on_time() {
  const auto now = loop_.now();
  const double seconds = std::chrono::duration<double>(now - last_at_).count();
  const Totals totals = totals_of(shards_);
  note_busy(seconds);
  // What has counted may have gone with its route.
  const auto rate = [&](auto after, auto before) {
    return after > before ? static_cast<double>(after - before) / seconds : 0.0;
  };
  points_[count_++ % kPointsMax] = {
      .time = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
                  .count(),
      .connections = totals.under_way.connections,
      .websockets = totals.under_way.websockets,
      .requests = rate(totals.requests, last_.requests),
      .messages_from_client = rate(totals.messages_from_client, last_.messages_from_client),
      .messages_from_upstream = rate(totals.messages_from_upstream, last_.messages_from_upstream),
      .bytes_from_client = rate(totals.bytes_from_client, last_.bytes_from_client),
      .bytes_from_upstream = rate(totals.bytes_from_upstream, last_.bytes_from_upstream),
      .ended = rate(totals.websockets_ended(), last_.websockets_ended()),
      .pushed_back = rate(totals.pushed_back_seconds, last_.pushed_back_seconds),
      .busy = busy_,
      .request_p50 = percentile(last_.request, totals.request, 0.50),
      .request_p99 = percentile(last_.request, totals.request, 0.99)};
  earlier_ = last_;
  last_ = totals;
  last_at_ = now;
  timer_.arm(now + kInterval);
}

Json History::json() const {
  const auto number = [](const std::optional<double>& one) {
    return one ? Json(*one) : Json(nullptr);
  };
  Json points = Json::array();
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
                      {"ended_per_second", point.ended},
                      {"pushed_back", point.pushed_back},
                      {"busy", point.busy},
                      {"request_p50", number(point.request_p50)},
                      {"request_p99", number(point.request_p99)}});
  }
  return {{"interval_seconds", kInterval.count()}, {"points", std::move(points)}};
}

}  // namespace gateway
