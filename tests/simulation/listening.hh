// The simulated gateway's listening sockets, which come and go with its generations: what its main
// thread has of them, and whom they let in.
//
//   open() -> an order for each shard -> refuse_new_but() ... all shards have reported ->
//   close_all_but()
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "gateway/shard/shard.hh"
#include "tests/simulation/generations.hh"
#include "tests/simulation/stage.hh"

namespace simulation {

class Listening {
 public:
  // Where somebody listens.
  using Entries = std::bitset<kEntries>;

  struct Host {
    SimulatedKernel& kernel;
    gateway::Shard& shard;
  };

  explicit Listening(Stage& stage) : stage_(stage) {}

  // Lets clients in at those entries where they are not yet; gives what each shard's order adds.
  std::vector<std::vector<gateway::ListeningSocket>> open(Entries entries,
                                                          const std::vector<Host>& hosts);
  // Nobody new gets into the queues of the others; over TCP whose handshake has begun does.
  void refuse_new_but(Entries kept);
  // The shards look at the others no more: nobody may be left in their queues.
  void close_all_but(Entries kept, SimulatedKernel& kernel);

  // Null: nobody is let in there.
  Stream let_in(Entry entry, unsigned shard, SimulatedKernel& kernel);

  // At rest: how many a shard accepts from.
  std::size_t count(unsigned shard) const;
  // What shards hand over at addresses that are gone is gone, too.
  void judge_mailboxes() const;

 private:
  struct Door {
    std::vector<int> sockets;  // by shard; -1: it has none; empty: nobody listens
    std::optional<Time> refuses_since;
    std::vector<std::weak_ptr<gateway::HandedOver>> mailboxes;
  };

  std::vector<gateway::ListeningSocket> open_door(std::size_t entry,
                                                  const std::vector<Host>& hosts);
  void close_door(Door& door, SimulatedKernel& kernel);

  Stage& stage_;
  std::array<Door, kEntries> doors_;
  std::vector<std::weak_ptr<gateway::HandedOver>> gone_;
};

}  // namespace simulation
