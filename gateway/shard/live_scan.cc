#include "gateway/shard/live_scan.hh"

#include <algorithm>
#include <utility>

#include "gateway/shard/live_row.hh"
#include "gateway/websocket/tunnel.hh"
#include "uring/check.hh"

namespace gateway {

void LiveScan::begin(std::shared_ptr<LiveLook> look, Kick kick, Done done) {
  CHECK(!is_under_way(), "one look at a time");
  look_ = std::move(look);
  kick_ = std::move(kick);
  done_ = std::move(done);
  walk_.emplace(beginning());
  has_place_ = look_->query.stream == 0;
  step();
}

Connections::Walk LiveScan::beginning() {
  const auto known = std::ranges::find(places_, look_->query.stream, &Place::stream);
  if (known == places_.end()) return Connections::Walk(connections_);
  return known->walk;
}

void LiveScan::remember_place() {
  has_place_ = true;
  std::erase_if(places_, [&](const Place& one) { return one.stream == look_->query.stream; });
  if (places_.size() == kPlacesMax) places_.pop_back();
  places_.push_front(Place{look_->query.stream, *walk_});
}

void LiveScan::finish() {
  while (is_under_way()) {
    step_.take_back();
    step();
  }
}

void LiveScan::step() {
  if (look_at_some()) return loop_.push_next_turn(step_);
  end();
}

// Whether there is more.
bool LiveScan::look_at_some() {
  const std::size_t at_once = std::min(look_->at_once.value_or(kAtOnce), kAtOnce);
  for (std::size_t count = 0; count < at_once; ++count) {
    Connection* const connection = walk_->next();
    if (connection == nullptr) return false;
    const LiveQuery& query = look_->query;
    // Ids rise.
    const bool is_behind = has_place_ || !query.after || connection->id() > query.after->id;
    if (is_behind && !has_place_) remember_place();
    walk_->step();
    if (!is_behind) continue;
    look_at(*connection);
    const bool has_all =
        page().rows.size() == query.rows && query.sort == LiveSort::kId && !query.greatest_first;
    if (has_all && !query.counts_all && !look_->kick) return false;
  }
  return true;
}

void LiveScan::look_at(Connection& connection) {
  const LiveQuery& query = look_->query;
  const LiveView view(connection, shard_);
  ++page().looked_at;
  if (!view.matches(query.filter)) return;
  ++page().matched;
  if (look_->kick && connection.tunnel() != nullptr) kicked_.insert(connection.id());
  // Who takes his leave is let go.
  if (look_->kick && connection.tunnel() == nullptr && !connection.ended()) {
    connection.end({.reason = Reason::kKicked});
    ++page().kicked;
  }
  if (look_->capture && view.kind() == LiveKind::kWebSocket)
    connection.tunnel()->capture(look_->capture);
  const LivePlace place = view.place(query.sort);
  if (query.rows == 0 || (query.after && !query.is_before(*query.after, place))) return;
  const auto& rows = page().rows;
  if (rows.size() == query.rows && !query.is_before(place, rows.front().place)) return;
  keep(view.row(query));
}

// A heap, whose first one is the last one of the page.
void LiveScan::keep(LiveRow row) {
  auto& rows = page().rows;
  const auto is_before = [this](const LiveRow& one, const LiveRow& other) {
    return look_->query.is_before(one.place, other.place);
  };
  if (rows.size() == look_->query.rows) {
    std::ranges::pop_heap(rows, is_before);
    rows.back() = std::move(row);
  } else {
    rows.push_back(std::move(row));
  }
  std::ranges::push_heap(rows, is_before);
}

void LiveScan::end() {
  walk_.reset();
  const auto look = std::exchange(look_, nullptr);
  LivePage& found = look->pages[shard_];
  std::ranges::sort(found.rows, [&](const LiveRow& one, const LiveRow& other) {
    return look->query.is_before(one.place, other.place);
  });
  if (look->kick) found.kicked += kick_(*look->kick, std::exchange(kicked_, {}));
  kick_ = {};
  std::exchange(done_, {})();
}

}  // namespace gateway
