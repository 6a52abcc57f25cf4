#include "tests/simulation/listening.hh"

#include <algorithm>
#include <utility>

namespace simulation {
namespace {

// What the gateway waits for a TCP handshake, less what a completion may be late.
constexpr milliseconds kHandshakes = gateway::LeavingListeners::kHandshakeTime - milliseconds(30);

gateway::config::Address address_of(std::size_t entry) {
  // As the configuration has read it.
  static const gateway::config::SharedGeneration all = make_generation(plan_generation({}, 1));
  return all->config.listeners[entry].address;
}

}  // namespace

std::vector<std::vector<gateway::ListeningSocket>> Listening::open(Entries entries,
                                                                   const std::vector<Host>& hosts) {
  std::vector<std::vector<gateway::ListeningSocket>> added(hosts.size());
  for (std::size_t entry = 0; entry < kEntries; ++entry) {
    if (!entries[entry] || !doors_[entry].sockets.empty()) continue;
    std::vector<gateway::ListeningSocket> sockets = open_door(entry, hosts);
    for (std::size_t shard = 0; shard < hosts.size(); ++shard) {
      added[shard].push_back(std::move(sockets[shard]));
    }
  }
  return added;
}

// The Unix socket is accepted by the first shard.
std::vector<gateway::ListeningSocket> Listening::open_door(std::size_t entry,
                                                           const std::vector<Host>& hosts) {
  Door& door = doors_[entry];
  const bool is_unix = static_cast<Entry>(entry) == Entry::kUnix;
  std::vector<gateway::ListeningSocket> sockets;
  std::vector<gateway::Taker> takers;
  for (const Host& host : hosts) {
    const bool accepts = !is_unix || sockets.empty();
    gateway::ListeningSocket socket{.address = address_of(entry)};
    if (accepts) socket.descriptor = host.kernel.open_listener(is_unix);
    socket.handed_over = host.shard.make_handed_over();
    socket.by_turns = is_unix;
    takers.push_back({takers.size(), socket.handed_over});
    door.mailboxes.emplace_back(socket.handed_over);
    door.sockets.push_back(socket.descriptor);
    sockets.push_back(std::move(socket));
  }
  for (gateway::ListeningSocket& socket : sockets) {
    if (socket.descriptor >= 0) socket.takers = takers;
    std::ranges::rotate(takers, takers.begin() + 1);
  }
  return sockets;
}

void Listening::refuse_new_but(Entries kept) {
  for (std::size_t entry = 0; entry < kEntries; ++entry) {
    Door& door = doors_[entry];
    if (!kept[entry] && !door.sockets.empty() && !door.refuses_since) {
      door.refuses_since = stage_.now();
    }
  }
}

void Listening::close_all_but(Entries kept, SimulatedKernel& kernel) {
  for (std::size_t entry = 0; entry < kEntries; ++entry) {
    if (!kept[entry]) close_door(doors_[entry], kernel);
  }
}

void Listening::close_door(Door& door, SimulatedKernel& kernel) {
  for (const int descriptor : door.sockets) {
    if (descriptor < 0) continue;
    auto& waiting = stage_.system->descriptors.at(descriptor).waiting;
    if (!waiting.empty()) {
      const bool excused = (stage_.scenario.faults & kShortage) != 0;
      if (!excused) stage_.chronicle.fail("world", "a client that was let in is left behind");
      stage_.left_behind = true;
    }
    for (const Stream& stream : waiting) stream->local_close(true);
    kernel.close(descriptor);
  }
  gone_.insert(gone_.end(), door.mailboxes.begin(), door.mailboxes.end());
  door = {};
}

Stream Listening::let_in(Entry entry, unsigned shard, SimulatedKernel& kernel) {
  const Door& door = doors_[static_cast<std::size_t>(entry)];
  if (door.sockets.empty()) return nullptr;
  if (door.refuses_since) {
    const bool on_its_way =
        entry != Entry::kUnix && !stage_.cut && stage_.now() < *door.refuses_since + kHandshakes;
    if (!on_its_way) return nullptr;
  }
  return kernel.come_to(entry == Entry::kUnix ? door.sockets.front() : door.sockets[shard]);
}

std::size_t Listening::count(unsigned shard) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      doors_, [&](const Door& door) { return !door.sockets.empty() && door.sockets[shard] >= 0; }));
}

void Listening::judge_mailboxes() const {
  const bool all_gone =
      std::ranges::all_of(gone_, [](const auto& mailbox) { return mailbox.expired(); });
  if (!all_gone) stage_.chronicle.fail("world", "somebody holds a mailbox of a gone address");
}

}  // namespace simulation
