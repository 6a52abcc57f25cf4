// Whether a row of the live table is true: who it is, what he has asked, where it goes, how much
// has passed. Each is judged when it is new, behind the turn in which it was made.
#include <algorithm>

#include "tests/simulation/generations.hh"
#include "tests/simulation/live_judge.hh"

namespace simulation {
namespace {

using gateway::LiveKind;
using gateway::LiveRow;

// The shard's time is that of the turn's begin.
constexpr milliseconds kTurn{2};

double value_of(const LiveRow& row, gateway::LiveSort sort) {
  using enum gateway::LiveSort;
  switch (sort) {
    case kId:
      return static_cast<double>(row.id);
    case kAge:
      return static_cast<double>(row.age.count());
    case kIdle:
      return static_cast<double>(row.idle.count());
    case kBuffered:
      return static_cast<double>(row.buffered_bytes);
    case kRate:
      return row.messages_per_second;
    case kMessages:
      return static_cast<double>(row.from_client.messages + row.from_upstream.messages);
    case kBytes:
      return static_cast<double>(row.from_client.bytes + row.from_upstream.bytes);
  }
  return 0;
}

bool has_opened(const LiveRow& row) {
  return row.kind == LiveKind::kWebSocket || row.kind == LiveKind::kTunnel;
}

bool is_in(const std::string& client, const gateway::config::Network& network) {
  const auto address = gateway::config::parse_network(client);
  return address && network.contains(address->address);
}

bool matches(const gateway::LiveFilter& filter, const LiveRow& row) {
  const auto is = [](const std::string& wanted, const std::string& has) {
    return wanted.empty() || wanted == has;
  };
  return filter.id.value_or(row.id) == row.id && filter.kind.value_or(row.kind) == row.kind &&
         (!filter.opened_only || has_opened(row)) && is(filter.route, row.route) &&
         is(filter.pool, row.pool) && is(filter.server, row.server) &&
         is(filter.listener, row.listener) &&
         (!filter.client || is_in(row.client, *filter.client)) && row.age >= filter.age &&
         row.idle >= filter.idle && row.buffered_bytes >= filter.buffered_bytes &&
         row.messages_per_second >= filter.messages_per_second;
}

}  // namespace

// Nothing where it has none, or one that nobody can read.
std::optional<LiveJudge::Request> LiveJudge::request_of(const LiveRow& row) {
  Request request;
  const std::string_view line = row.request;
  const std::string_view target = line.substr(line.rfind(' ') + 1);
  if (!read_target(target, request.first, request.second)) return std::nullopt;
  return request;
}

void LiveJudge::judge_row(const LiveRow& row, unsigned shard) {
  const unsigned shards = stage_.scenario.shards;
  if (row.shard != shard || row.id % shards != (shard + 1) % shards) {
    fail("connection {} is on shard {}, and a row of shard {}", row.id, row.shard, shard);
  }
  if (!matches(look_->query.filter, row)) fail("connection {} does not match", row.id);
  if (row.details.has_value() != look_->query.details) fail("{} has other details", row.id);
  if (row.details && row.details->generation > stage_.newest) {
    fail("connection {} has generation {}", row.id, row.details->generation);
  }
  judge_place(row);
  judge_client(row);
  judge_request(row);
}

void LiveJudge::judge_place(const LiveRow& row) {
  const gateway::LiveQuery& query = look_->query;
  if (row.place != gateway::LivePlace{value_of(row, query.sort), row.id}) {
    fail("connection {} has the place of {} {}", row.id, row.place.value, row.place.id);
  }
  if (query.after && !query.is_before(*query.after, row.place)) {
    fail("connection {} is not behind {} {}", row.id, query.after->value, query.after->id);
  }
}

void LiveJudge::judge_client(const LiveRow& row) {
  // It has reset its connection before anybody asked who it is.
  if (row.client == "-" && row.port == 0 && row.requests == 0) return;
  const bool is_unix = row.client == "unix";
  const auto request = request_of(row);
  const std::optional<unsigned> by_request =
      request ? std::optional(request->first) : std::optional<unsigned>();
  const std::optional<unsigned> number =
      is_unix ? by_request : std::optional<unsigned>(row.port - kFirstPort);
  if (is_unix != (row.port == 0) || (!is_unix && !ports_.contains(row.port))) {
    return fail("connection {} of {}:{} is not there", row.id, row.client, row.port);
  }
  const bool has_tls = !row.tls.empty();
  if (!number) return;
  const ClientPlan* const plan = client(*number);
  if (plan == nullptr || (is_unix != (plan->entry() == Entry::kUnix)) ||
      (by_request && *by_request != *number)) {
    return fail("connection {} of client {} asks {}", row.id, *number, row.request);
  }
  if (row.listener != kListeners[static_cast<std::size_t>(plan->entry())]) {
    fail("client {} came to {}", *number, row.listener);
  }
  // Before its handshake, and behind its last bytes, it has none.
  if (has_opened(row) ? has_tls != plan->tls.has_value() : has_tls && !plan->tls) {
    fail("client {} speaks \"{}\"", *number, row.tls);
  }
  const auto known = clients_.emplace(row.id, *number).first;
  if (known->second != *number) {
    fail("connection {} was client {}'s, and is client {}'s", row.id, known->second, *number);
  }
}

void LiveJudge::judge_request(const LiveRow& row) {
  const bool is_idle = row.kind == LiveKind::kIdle;
  if (is_idle) {
    const bool has_any = !row.request.empty() || !row.route.empty() || !row.pool.empty() ||
                         !row.server.empty() || row.from_client.messages > 0;
    if (has_any) fail("connection {} is idle, and asks {}", row.id, row.request);
    return;
  }
  const auto request = request_of(row);
  const RequestPlan* const plan =
      request ? stage_.scenario.request(request->first, request->second) : nullptr;
  if (plan == nullptr || request->second + 1 != row.requests) {
    return fail("connection {} asks {} as its {}. request", row.id, row.request, row.requests);
  }
  const Trail& trail = stage_.trails[*request];
  const std::string target = target_of(request->first, request->second);
  const Time asked_at = trail.websocket.asked_at;
  if (asked_at == Time{} || row.age > stage_.now() - asked_at + kTurn) {
    fail("{} has an age of {} ms", target, row.age.count());
  }
  const bool goes_there = (row.route.empty() || row.route == route_of(plan->pool)) &&
                          (row.pool.empty() || row.pool == name_of(plan->pool));
  if (!goes_there) fail("{} is on the way of {} to {}", target, row.route, row.pool);
  if (has_opened(row)) judge_opened(row, *request, *plan);
}

// As both of its ends know it: what one has heard has passed, and what passes one has said.
void LiveJudge::judge_opened(const LiveRow& row, const Request& request, const RequestPlan& plan) {
  const std::string target = target_of(request.first, request.second);
  const Trail& trail = stage_.trails[request];
  const bool is_websocket = row.kind == LiveKind::kWebSocket;
  const std::uint64_t generation =
      is_websocket ? trail.websocket.generation : trail.tunnel.generation;
  if (generation == 0 || (is_websocket ? !plan.websocket : !plan.tunnel)) {
    return fail("{} is none that has opened", target);
  }
  if (row.server != trail.site || row.route.empty() || row.pool.empty()) {
    fail("{} is at {} by {}, not at {}", target, row.server, row.route, trail.site);
  }
  const Time opened_at = is_websocket ? trail.websocket.opened_at : trail.tunnel.opened_at;
  if (row.age + kTurn < stage_.now() - opened_at || row.idle > row.age + kTurn) {
    fail("{} has an age of {} ms, and is idle for {}", target, row.age.count(), row.idle.count());
  }
  const auto passes = [&](std::size_t heard, std::uint64_t told, std::size_t said) {
    if (heard > told || told > said) {
      fail("{} has passed {}: {} was said, {} heard", target, told, said, heard);
    }
  };
  if (!is_websocket) {
    passes(trail.tunnel.server.heard, row.from_client.bytes, trail.tunnel.client.said);
    passes(trail.tunnel.client.heard, row.from_upstream.bytes, trail.tunnel.server.said);
  } else if (!breaks(plan.websocket->closer)) {
    const WebSocketSide& client = trail.websocket.client;
    const WebSocketSide& server = trail.websocket.server;
    passes(server.heard.messages, row.from_client.messages, client.tally.messages);
    passes(client.heard.messages, row.from_upstream.messages, server.tally.messages);
  }
}

}  // namespace simulation
