// A simulated server's WebSockets: the moment of the upgrade, what it says and hears, and whether
// its client was slowed down to the rates of the route.
#include <algorithm>
#include <array>

#include "proto/ws/handshake.hh"
#include "tests/simulation/server.hh"

namespace simulation {
namespace {

// What spoils a 101: it agrees to what was not offered, or cannot be passed on.
constexpr std::array<std::string_view, 4> kBadSwitches = {
    "Sec-WebSocket-Extensions: permessage-deflate\r\n", "Sec-WebSocket-Protocol: chat\r\n",
    "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n",
    "Connection: Sec-WebSocket-Accept\r\n"};

}  // namespace

void SimulatedServer::open_websocket() {
  const std::string* const key = reader_.field("sec-websocket-key");
  if (key == nullptr) {
    stage_.chronicle.fail(name_, "gets a handshake without a key");
    return leave(true);
  }
  const bool bad = plan_->switches_badly();
  const WebSocketPlan& plan = *plan_->websocket;
  const std::uint64_t generation = generation_of(reader_);
  const PolicyPlan policy = plan_generation(stage_.scenario, generation).policy(pool_);
  const bool is_offered = reader_.field("sec-websocket-extensions") != nullptr;
  if (is_offered != (plan.offers_deflate && policy.compression == CompressionPlan::kPass)) {
    stage_.chronicle.fail(name_, "gets {} offer of compression", is_offered ? "an" : "no");
  }
  const bool deflate = is_offered && plan.agrees_to_deflate && !bad;
  wire_.send(fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nX-Whose: {}\r\nX-Site: {}\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n{}{}\r\n{}",
      target_of(client_, request_), site_.address, ws::as_text(ws::accept_key(*key)),
      bad ? kBadSwitches[dice_.between(0, kBadSwitches.size() - 1)] : "",
      deflate ? fmt::format("Sec-WebSocket-Extensions: {}\r\n", offer_of(plan).answer) : "",
      bad ? "and frames" : ""));
  if (bad) {
    stage_.chronicle.note(name_, "switches badly");
    answered_ = true;
    then_ = Then::kStalls;
    return;
  }
  stage_.trail(client_, request_).told_whole = true;
  WebSocketTrail& trail = stage_.trail(client_, request_).websocket;
  trail.generation = rates_seen_in_ = generation;
  trail.opened_at = stage_.now();
  const bool at_gateway = plan.offers_deflate && policy.compression == CompressionPlan::kTerminate;
  trail.deflating = at_gateway ? Deflating::kAtGateway
                    : deflate  ? Deflating::kEndToEnd
                               : Deflating::kNone;
  websocket_.emplace(WebSocketEnd::Part{.is_client = false,
                                        .sends = stream_of(Way::kToClient),
                                        .closer = plan.closer,
                                        .deflating = trail.deflating,
                                        .terms = {},
                                        .policy = policy,
                                        .may_lack_memory = stage_.scenario.scarce_memory},
                     plan.server, trail.server, trail.client);
  if (plan.stays.count() > 0) may_close_at_ = stage_.now() + plan.stays;
  // What is inflated on its way is not what the rates are of.
  if (policy.rates.any() && !at_gateway)
    rates_.emplace(policy.rates, stage_.now(), bytes_at_once());
  digest(reader_.rest());
}

void SimulatedServer::talk() {
  const Closer closer = plan_->websocket->closer;
  const bool waits = may_close_at_ && stage_.now() < *may_close_at_;
  const bool stays = waits && !websocket_->close_code() && !heard_end_;
  if (websocket_->has_said_all() && !stays) {
    if (closer == Closer::kServerLeaves) return leave(dice_.chance(50));
    if (closer == Closer::kServerDies) return die();
    if (heard_end_) return leave(false);
  }
  std::string frame;
  const bool closed_before = websocket_->close_sent();
  if (websocket_->say_more(frame, stage_.now(), stays)) wire_.send(frame);
  WebSocketSide& side = stage_.trail(client_, request_).websocket.server;
  side.tally = websocket_->said();
  side.close_code = websocket_->own_close_code();
  if (websocket_->close_sent() && !closed_before) {
    side.closed_at = stage_.now();
    stage_.chronicle.note(name_, "sends a close frame");
  }
}

void SimulatedServer::die() {
  stage_.chronicle.note(name_, "dies");
  dead_until_ = stage_.now() + kDeadTime;
  stage_.trail(client_, request_).websocket.server.died_at = stage_.now();
}

// What may come of this client before it is slowed down, or closed, for what has come already: two
// receives, and over TLS the records that they are a part of.
std::size_t SimulatedServer::bytes_at_once() const {
  constexpr std::size_t kReceives = 2 * 4096;
  constexpr std::size_t kRecords = 2 * 16'640;
  const auto& clients = stage_.scenario.clients;
  const auto client = std::ranges::find(clients, client_, &ClientPlan::number);
  return kReceives + (client->tls ? kRecords : 0);
}

// As long as no later generation has others, and nobody closes: then it may say the rest.
void SimulatedServer::judge_rates() {
  if (!rates_ || websocket_->close_sent()) return;
  for (; rates_seen_in_ < stage_.newest; ++rates_seen_in_) {
    const GenerationPlan next = plan_generation(stage_.scenario, rates_seen_in_ + 1);
    if (next.redirects_from(pool_) || next.policy(pool_).rates == rates_->rates()) continue;
    return rates_.reset();
  }
  if (!rates_->note(websocket_->heard(), stage_.now())) {
    stage_.chronicle.fail(name_, "gets more of its client than the rates let pass");
  }
}

}  // namespace simulation
