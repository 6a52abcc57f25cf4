// A simulated server's tunnels: what it may be asked, its 101, and what it says and hears then.
#include <algorithm>
#include <cctype>

#include "tests/simulation/server.hh"

namespace simulation {
namespace {

bool is_same(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  });
}

}  // namespace

// It is asked for what the route lists, and of another protocol it hears nothing.
void SimulatedServer::judge_upgrade() {
  const std::string* const upgrade = reader_.field("upgrade");
  const std::string* const connection = reader_.field("connection");
  const GenerationPlan plan = plan_generation(stage_.scenario, generation_of(reader_));
  const bool passes = plan.upgrades[static_cast<std::size_t>(pool_)] && plan_->tunnel->is_listed;
  const bool is_asked = upgrade != nullptr && is_same(*upgrade, plan_->tunnel->protocol) &&
                        connection != nullptr && is_same(*connection, "upgrade");
  const bool is_bare = upgrade == nullptr && connection == nullptr;
  if (passes ? is_asked : is_bare) return;
  stage_.chronicle.fail(name_, "is asked to upgrade to \"{}\", \"{}\", for {}",
                        upgrade != nullptr ? *upgrade : "",
                        connection != nullptr ? *connection : "", target_of(client_, request_));
}

void SimulatedServer::open_tunnel() {
  stage_.chronicle.note(name_, "switches to a tunnel");
  wire_.send(
      fmt::format("HTTP/1.1 101 Switching Protocols\r\nX-Whose: {}\r\nX-Site: {}\r\n"
                  "Upgrade: {}\r\nConnection: Upgrade\r\n\r\n",
                  target_of(client_, request_), site_.address, plan_->tunnel->protocol));
  Trail& trail = stage_.trail(client_, request_);
  trail.told_whole = answered_ = true;
  trail.tunnel.generation = generation_of(reader_);
  trail.tunnel.opened_at = stage_.now();
  tunnel_.emplace(TunnelEnd::Part{.is_client = false,
                                  .says = stream_of(Way::kToClient),
                                  .hears = stream_of(Way::kToServer),
                                  .ending = plan_->tunnel->ending},
                  plan_->tunnel->server, trail.tunnel.server, trail.tunnel.client);
  // Before its answer it may get nothing of what its client has said.
  if (!reader_.rest().empty()) stage_.chronicle.fail(name_, "gets bytes before it has switched");
}

void SimulatedServer::talk_in_tunnel() {
  switch (tunnel_->next_step(stage_.now())) {
    case TunnelEnd::Step::kNothing:
      if (tunnel_->is_through()) leave(false);
      return;
    case TunnelEnd::Step::kSays:
      return wire_.send(tunnel_->say(stage_.now()));
    case TunnelEnd::Step::kHalfCloses:
      stage_.trail(client_, request_).tunnel.server.told_end = true;
      tunnel_->note_half_close();
      stage_.chronicle.note(name_, "closes its stream");
      return wire_.half_close(!is_wild(pool_));
    case TunnelEnd::Step::kCloses:
      stage_.trail(client_, request_).tunnel.server.told_end = true;
      return leave(false);
    case TunnelEnd::Step::kResets:
      return leave(true);
  }
}

void SimulatedServer::hear_in_tunnel(std::string_view bytes) {
  if (tunnel_->feed(bytes)) return;
  stage_.chronicle.fail(name_, "hears what its client has not said on {}",
                        target_of(client_, request_));
}

// A stream that has merely ended leaves the other one.
void SimulatedServer::end_in_tunnel() {
  const bool is_end = wire_.ended_cleanly() && !wire_.was_reset() && !heard_end_;
  stage_.chronicle.note(name_, "sees {}", is_end ? "the end of its client's stream" : "a cut");
  if (!is_end) return leave(false);
  heard_end_ = true;
  const std::string why = tunnel_->hear_end();
  if (!why.empty()) {
    stage_.chronicle.fail(name_, "{} on {}", why, target_of(client_, request_));
  }
}

}  // namespace simulation
