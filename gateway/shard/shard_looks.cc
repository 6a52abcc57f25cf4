// A shard is looked at through the live table, and closes whom an operator kicks.
#include "gateway/shard/shard.hh"
#include "gateway/websocket/tunnel.hh"

namespace gateway {

void Shard::carry_out(const LookOrder& order) {
  live_scan_.begin(
      order.look, [this](const auto& kick, const auto& ids) { return this->kick(kick, ids); },
      [this] { report(Report::Kind::kLooked); });
}

// By the operator's wish. Gives how many are closed from now on: WebSockets each in its turn, the
// others at once.
std::size_t Shard::kick(const LiveLook::Kick& kick, const std::unordered_set<std::uint64_t>& ids) {
  std::size_t others = 0;
  connections_.for_each([&](Connection& connection) {
    if (connection.tunnel() != nullptr || !ids.contains(connection.id())) return;
    connection.end({.reason = Reason::kKicked});
    ++others;
  });
  const auto takes = [ids](const Tunnel& tunnel) { return ids.contains(tunnel.connection_id()); };
  // Nobody comes to those who are kicked.
  const auto stands = [waiting = kick.paced.plan.waiting] { return *waiting > 0; };
  return others + closings_.begin(kick.name, kick.paced, takes, stands);
}

}  // namespace gateway
