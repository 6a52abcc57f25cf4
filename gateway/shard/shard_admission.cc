// What a shard does about whom it has accepted: he is judged before there is a connection, and who
// is refused is counted and, if not too often, told in the log.
#include "gateway/log/line.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

// Whose peer has gone already is let in, and ends at once.
Admission::Answer Shard::judge(const Entrance& entrance, int descriptor) {
  config::Address peer;
  peer.length = sizeof peer.storage;
  auto* const address = reinterpret_cast<sockaddr*>(&peer.storage);
  (void)kernel_.peer_address(descriptor, address, &peer.length);
  Admission::Answer answer = admission_.judge(peer, entrance, config(), loop_.now());
  note_judged(answer, peer, entrance);
  return answer;
}

// Its PROXY header has told who it is.
void Shard::judge_client(Connection& connection, const Entrance& entrance) {
  if (connection.refused() != nullptr) return;  // whoever it is
  const config::Address client = connection.peer().address();
  Admission::Answer answer = admission_.judge_client(client, entrance, config(), loop_.now());
  note_judged(answer, client, entrance);
  if (!answer.refused) return connection.hold_address(std::move(answer.holds.of_address));
  if (const auto told = admission_.end_for(answer, entrance)) return connection.refuse(*told);
  const bool denied = *answer.refused == limits::Cause::kDeniedPeer;
  const bool no_room = *answer.refused == limits::Cause::kTableFull;
  connection.turn_away({.reason = denied    ? Reason::kAddressDenied
                                  : no_room ? Reason::kAtCapacity
                                            : Reason::kClientOverLimit});
}

void Shard::note_judged(const Admission::Answer& answer, const config::Address& client,
                        const Entrance& entrance) {
  if (answer.table_full) note_table_full();
  if (!answer.refused) return;
  if (*answer.refused == limits::Cause::kMemory) {
    loop_.frames().trim();
    batches_.trim();
  }
  note_refused(*answer.refused);
  if (!may_log(LogLevel::info, limits::name_of(*answer.refused))) return;
  const auto octets = config::octets_of(client);
  LogLine(log(), LogLevel::info, "refused")
      .word("client", octets ? config::Network{*octets, 128}.text() : "unix")
      .word("listener", entrance.listener().address.text())
      .word("cause", limits::name_of(*answer.refused))
      .write();
}

void Shard::note_refused(limits::Cause cause) {
  setup_.limits.note_refused(cause);
}

void Shard::note_table_full() {
  const bool refuses = config().client_limits.table_full == config::TableFull::refuse;
  if (!refuses) setup_.limits.note_unknown();
  if (!may_log(LogLevel::warning, "address table full")) return;
  log().warning(
      "the table of addresses is full, so who is new is {}: raise [limits] addresses ({})",
      refuses ? "refused" : "not counted", setup_.limits.addresses().size());
}

}  // namespace gateway
