// For what a shard closes WebSockets one by one, each cause with a list of its own, by name: a
// later one takes whoever waits in an earlier one. When the gateway stops that is the only one that
// is left.
#pragma once

#include <cstddef>
#include <list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/client/connections.hh"
#include "gateway/shard/paced_closing.hh"

namespace gateway {

class Closings {
 public:
  // Different close reasons that it remembers, as long as the shard.
  static constexpr std::size_t kTextsMax = 4096;

  Closings(uring::Loop& loop, Connections& connections) : loop_(loop), connections_(connections) {}
  Closings(const Closings&) = delete;
  Closings& operator=(const Closings&) = delete;

  // Of the WebSockets that are open, and of those that will be, whom `takes` says, until end() or
  // the next one of that name, or let_go() when it does not stand any more. Gives how many are
  // open. Nothing happens once all are closed.
  std::size_t begin(std::string_view name, const PacedPlan& paced, PacedClosing::Takes takes,
                    PacedClosing::Stands stands = {});
  // The same; but where the one of that name has this plan, and nobody comes to those who wait,
  // they keep their turns, and it gives 0.
  std::size_t renew(std::string_view name, const PacedPlan& paced,
                    const PacedClosing::Takes& takes);
  // All of them, for good.
  void begin_all(const PacedPlan& paced);
  // Whoever waits there goes on, if no other cause means him.
  void end(std::string_view name);
  // Whom the causes do not mean any more goes on, likewise.
  void let_go();

  // It waits where the last one of those that mean it begins.
  void note_opened(Tunnel& tunnel);
  // What those are closed with, once begin_all() was called.
  const End& end_of_all() const { return end_of_all_; }

 private:
  End end_of(const ClosingPlan& plan);
  std::vector<Tunnel*> open_ones(const PacedClosing::Takes& takes);
  PacedClosing* join_last(Tunnel& tunnel);
  void offer(const std::vector<Tunnel*>& tunnels);

  uring::Loop& loop_;
  Connections& connections_;
  std::list<PacedClosing> causes_;
  std::set<std::string, std::less<>> texts_;  // whoever was closed with one tells it still
  End end_of_all_{.reason = Reason::kStopping};
  bool all_ = false;
};

}  // namespace gateway
