// A shard is looked at through the live table, and closes whom an operator kicks.
#include <memory>
#include <utility>

#include "gateway/shard/shard.hh"
#include "gateway/websocket/tunnel.hh"

namespace gateway {

void Shard::carry_out(const LookOrder& order) {
  live_scan_.begin(
      order.look, [this](const auto& kick, auto ids) { return this->kick(kick, std::move(ids)); },
      [this] { report(Report::Kind::kLooked); });
}

// By the operator's wish: WebSockets and tunnels, each in its turn. Gives how many.
std::size_t Shard::kick(const LiveLook::Kick& kick, std::unordered_set<std::uint64_t> ids) {
  if (ids.empty()) {
    kick.paced.pace->begin(loop_.now(), 0);
    return 0;
  }
  const auto kicked = std::make_shared<const std::unordered_set<std::uint64_t>>(std::move(ids));
  const auto takes = [kicked](const Tunnel& tunnel) {
    return kicked->contains(tunnel.connection_id());
  };
  // Nobody comes to those who are kicked.
  const auto stands = [waiting = kick.paced.plan.waiting] { return *waiting > 0; };
  return closings_.begin(kick.name, kick.paced, takes, stands);
}

}  // namespace gateway
