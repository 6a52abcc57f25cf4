#include "tests/simulation/refusal_judge.hh"

#include <algorithm>
#include <limits>
#include <utility>

namespace simulation {
namespace {

using gateway::limits::Cause;

constexpr const char* kWho = "doors";
constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();
// What a shard keeps for others, and has got more of in a turn, at the most.
constexpr std::size_t kGivenBack = 256 * 1024;
// Handshakes that have a step in a turn, and more who come in it.
constexpr std::size_t kStepsInTurn = 16;
constexpr std::array kAtDoor = {Cause::kConnections, Cause::kListener,  Cause::kAddressConnections,
                                Cause::kAddressRate, Cause::kTableFull, Cause::kDeniedPeer,
                                Cause::kMemory};

std::uint64_t any_if_0(std::uint64_t most) {
  return most == 0 ? kAny : most;
}

std::chrono::nanoseconds interval_of(const RatePlan& rate) {
  return std::chrono::nanoseconds(std::chrono::seconds(1)) /
         static_cast<std::int64_t>(rate.per_second);
}

// As gateway.conf says: a whole number of events, at least one.
std::chrono::nanoseconds burst_of(const RatePlan& rate, milliseconds burst) {
  const auto interval = interval_of(rate);
  return interval * std::max<std::int64_t>(std::chrono::nanoseconds(burst) / interval, 1);
}

// As of a simulated socket.
gateway::limits::ClientKey key_of(std::size_t home) {
  const std::uint32_t address = address_of_home(home);
  gateway::config::Octets octets{};
  octets[10] = octets[11] = 0xff;
  for (unsigned at = 0; at < 4; ++at) {
    octets[12 + at] = static_cast<std::uint8_t>(address >> (24 - 8 * at));
  }
  return gateway::limits::ClientKey(octets);
}

}  // namespace

RefusalJudge::Tally RefusalJudge::tally() {
  using Of = gateway::limits::LiveCounts::Of;
  Tally now;
  now.in_all = limits_.connections().value();
  now.bytes = memory_.bytes();
  for (std::size_t entry = 0; entry < kEntries; ++entry) {
    now.of_listener[entry] =
        limits_.places().of(Of::kListener, std::string(kListeners[entry]))->value();
  }
  for (std::size_t home = 0; home < kHomes; ++home) {
    now.of_home[home] = limits_.addresses().connections(key_of(home));
  }
  for (std::size_t cause = 0; cause < now.refused.size(); ++cause) {
    now.refused[cause] = limits_.refused(static_cast<Cause>(cause));
  }
  return now;
}

void RefusalJudge::begin_turn(gateway::Shard& shard) {
  before_ = tally();
  waited_ = shard.links().handshakes_waiting;
  first_ = shard.generation()->number();
  if (stage_.scenario.theme != Theme::kHandshakes) return;
  going_on_ = 0;
  for (const auto& [number, on] : stage_.system->descriptors) {
    if (on.stream != nullptr && goes_on(on.stream)) ++going_on_;
  }
}

// It may wait for a step of its handshake that is not the first one of a client: the gateway has
// dialled it, or has answered it, and nobody has asked anything there by now.
bool RefusalJudge::goes_on(const Stream& stream) const {
  if (stream->port() == 0) return stage_.unasked.contains(stream);
  if (stream->taken() + stream->unread() == 0) return false;
  const unsigned client = stream->port() - kFirstPort;
  const auto whose = std::ranges::find(stage_.scenario.clients, client, &ClientPlan::number);
  if (whose->entry() != Entry::kSecure) return false;
  const auto trail = stage_.trails.find({client, 0});
  return trail == stage_.trails.end() ||
         (trail->second.arrivals == 0 && trail->second.lines.empty());
}

void RefusalJudge::end_turn(gateway::Shard& shard, SimulatedKernel& kernel, std::uint64_t oldest) {
  Turn turn{.after = tally(),
            .first = first_,
            .last = shard.generation()->number(),
            .oldest = oldest,
            .judged = {},
            .in_all = {},
            .of_listener = {},
            .of_home = {}};
  judge_bounds(turn);
  judge_handshakes(turn, shard.links().handshakes_waiting);
  judge_memory(turn, shard);
  std::vector<Stream> closed;
  for (const Stream& stream : kernel.take_asked_for()) {
    const unsigned client = stream->port() - kFirstPort;
    if (known_[client]) continue;
    known_.set(client);
    const auto whose = std::ranges::find(stage_.scenario.clients, client, &ClientPlan::number);
    const Entry entry = whose->entry();
    Judged one{.client = client, .entry = static_cast<std::size_t>(entry), .home = {}};
    one.is_gone = stream->finished_by_reset();
    const bool tells = entry != Entry::kUnix && !stage_.scenario.proxied && !one.is_gone;
    if (tells) one.home = home_of(stage_.scenario, client);
    turn.judged.push_back(one);
    if (stream->local_is_closed() && !one.is_gone) closed.push_back(stream);
  }
  if (stage_.cut) return;
  judge_fates(turn, closed);
  count(turn);
  for (const Judged& one : turn.judged) judge_one(turn, one);
  if (stage_.scenario.proxied) judge_headers(turn);
}

std::uint64_t RefusalJudge::newly(const Turn& turn, Cause cause) const {
  const auto at = static_cast<std::size_t>(cause);
  return turn.after.refused[at] - before_.refused[at];
}

// Each one who is reset here is counted, and each one who is counted is somebody.
void RefusalJudge::judge_fates(Turn& turn, const std::vector<Stream>& closed) {
  std::uint64_t refused = 0;
  for (const Cause cause : kAtDoor) {
    const bool of_header =
        cause != Cause::kConnections && cause != Cause::kListener && cause != Cause::kMemory;
    if (!of_header || !stage_.scenario.proxied) refused += newly(turn, cause);
  }
  std::uint64_t candidates = 0;
  for (Judged& one : turn.judged) {
    const bool is_reset = std::ranges::any_of(
        closed, [&](const Stream& stream) { return stream->port() == port_of(one.client); });
    if (is_reset) {
      one.fate = Fate::kRefused;
    } else if (one.is_gone || static_cast<Entry>(one.entry) != Entry::kSecure) {
      one.fate = Fate::kMaybe;
      ++candidates;
    }
  }
  if (refused < closed.size() || refused - closed.size() > candidates) {
    stage_.chronicle.fail(kWho, "{} are counted as refused, {} were reset, {} may have been told",
                          refused, closed.size(), candidates);
  }
  const std::uint64_t told = refused - std::min<std::uint64_t>(refused, closed.size());
  for (Judged& one : turn.judged) {
    if (one.is_gone) continue;
    if (one.fate == Fate::kMaybe && told == 0) one.fate = Fate::kIn;
    if (one.fate == Fate::kMaybe && told == candidates) one.fate = Fate::kRefused;
    if (one.fate == Fate::kIn) continue;
    stage_.refused.emplace(one.client, one.fate == Fate::kRefused);
  }
}

// More than there may be do not become more still.
void RefusalJudge::judge_bounds(const Turn& turn) {
  const auto judge = [&](std::string_view what, std::uint64_t had, std::uint64_t has,
                         const Range& bound) {
    if (has <= had || has <= bound.most) return;
    stage_.chronicle.fail(kWho, "{} has {} clients, {} are allowed", what, has, bound.most);
  };
  judge("the gateway", before_.in_all, turn.after.in_all,
        bounds(turn.first, turn.last, [](const DoorPlan& doors) { return doors.connections; }));
  for (std::size_t entry = 0; entry < kEntries; ++entry) {
    judge(kListeners[entry], before_.of_listener[entry], turn.after.of_listener[entry],
          bounds(first_for(turn, entry), turn.last,
                 [&](const DoorPlan& doors) { return doors.of_listener[entry]; }));
  }
  for (std::size_t home = 0; home < kHomes; ++home) {
    judge("an address", before_.of_home[home], turn.after.of_home[home],
          bounds(turn.first, turn.last, [](const DoorPlan& doors) { return doors.of_address; }));
  }
}

// Behind PROXY headers nobody sees who is judged when: but how many there are then.
void RefusalJudge::judge_headers(const Turn& turn) {
  const auto bound =
      bounds(turn.first, turn.last, [](const DoorPlan& doors) { return doors.of_address; });
  bool may_be_full = turn.after.in_all < before_.in_all;  // some have gone meanwhile
  for (std::size_t home = 0; home < kHomes; ++home) {
    const std::uint64_t had = before_.of_home[home];
    const std::uint64_t has = turn.after.of_home[home];
    may_be_full = may_be_full || std::max(had, has) >= bound.least;
    const RatePlan& rate = plan(turn.last).doors.connects;
    for (std::uint64_t come = had; rate.per_second > 0 && come < has; ++come) {
      Credit& left = credit(connects_, home, rate);
      if (left.most < interval_of(rate)) {
        stage_.chronicle.fail(kWho, "more come from an address in a second than may");
      }
      left.most -= std::min(left.most, interval_of(rate));
    }
  }
  if (newly(turn, Cause::kAddressConnections) > 0 && !may_be_full) {
    stage_.chronicle.fail(kWho, "a client is refused though its address has room");
  }
  const DoorPlan& doors = plan(turn.last).doors;
  const bool has_rate = doors.connects.per_second > 0 || doors.handshakes.per_second > 0;
  if (newly(turn, Cause::kAddressRate) > 0 && !has_rate) {
    stage_.chronicle.fail(kWho, "a client is refused by a rate that nobody has set");
  }
}

// Nobody is refused who might have waited, and no more of those who come wait than may: whoever
// has been answered is let go on, and so are the gateway's own handshakes with servers.
void RefusalJudge::judge_handshakes(const Turn& turn, std::size_t waiting) {
  const auto bound =
      bounds(turn.first, turn.last, [](const DoorPlan& doors) { return doors.handshakes_waiting; });
  const std::uint64_t of_those_who_come = std::max<std::uint64_t>(bound.most, waited_);
  if (waiting > of_those_who_come && waiting - of_those_who_come > going_on_) {
    stage_.chronicle.fail(kWho, "{} wait for their handshakes, {} may, and {} who go on", waiting,
                          bound.most, going_on_);
  }
  const std::size_t most = std::max(waiting, waited_) + kStepsInTurn;
  if (newly(turn, Cause::kHandshakes) > 0 && most < bound.least) {
    stage_.chronicle.fail(kWho, "a handshake is refused, of which {} may wait", bound.least);
  }
}

void RefusalJudge::judge_memory(const Turn& turn, const gateway::Shard& shard) {
  const bool is_scarce = turn.after.bytes >= memory_.most() - memory_.most() / 5;
  if (is_scarce && shard.batches().share() > uring::BatchPool::kShareFloor) {
    stage_.chronicle.fail(kWho, "one may have {} bytes under way, with little memory left",
                          shard.batches().share());
  }
}

// From before each one is judged, who may have gone in between left out of the least.
void RefusalJudge::count(Turn& turn) {
  const auto begin = [](std::uint64_t had, std::uint64_t has, std::uint64_t come) {
    const std::uint64_t gone = had + come - std::min(had + come, has);
    return Range{had - std::min(had, gone), had};
  };
  std::uint64_t come = 0;
  std::array<std::uint64_t, kEntries> come_in{};
  std::array<std::uint64_t, kHomes> come_from{};
  for (const Judged& one : turn.judged) {
    if (one.fate == Fate::kRefused) continue;
    ++come;
    ++come_in[one.entry];
    if (one.home) ++come_from[*one.home];
  }
  turn.in_all = begin(before_.in_all, turn.after.in_all, come);
  for (std::size_t entry = 0; entry < kEntries; ++entry) {
    turn.of_listener[entry] =
        begin(before_.of_listener[entry], turn.after.of_listener[entry], come_in[entry]);
  }
  for (std::size_t home = 0; home < kHomes; ++home) {
    turn.of_home[home] = begin(before_.of_home[home], turn.after.of_home[home], come_from[home]);
  }
}

void RefusalJudge::judge_one(Turn& turn, const Judged& one) {
  if (one.fate == Fate::kRefused && !may_be_refused(turn, one)) {
    stage_.chronicle.fail(kWho, "client {} is refused though there is room for it", one.client);
  }
  if (one.fate == Fate::kIn) judge_admitted(turn, one);
  note(turn, one);
}

bool RefusalJudge::may_be_refused(const Turn& turn, const Judged& one) {
  const auto most_in_all =
      bounds(turn.first, turn.last, [](const DoorPlan& doors) { return doors.connections; });
  if (newly(turn, Cause::kConnections) > 0 && turn.in_all.most >= most_in_all.least) return true;
  const auto most_of_listener =
      bounds(first_for(turn, one.entry), turn.last,
             [&](const DoorPlan& doors) { return doors.of_listener[one.entry]; });
  const bool listener_is_full = turn.of_listener[one.entry].most >= most_of_listener.least;
  if (newly(turn, Cause::kListener) > 0 && listener_is_full) return true;
  // Who is refused has what is kept for others given back.
  const bool is_spent = std::max(before_.bytes, turn.after.bytes) + kGivenBack >= spent_from();
  if (newly(turn, Cause::kMemory) > 0 && is_spent) return true;
  if (!one.home) return false;
  if (newly(turn, Cause::kDeniedPeer) > 0 && is_denied(turn, one, false)) return true;
  const auto most_of_address =
      bounds(turn.first, turn.last, [](const DoorPlan& doors) { return doors.of_address; });
  const bool address_is_full = turn.of_home[*one.home].most >= most_of_address.least;
  if (newly(turn, Cause::kAddressConnections) > 0 && address_is_full) return true;
  if (newly(turn, Cause::kAddressRate) == 0) return false;
  const DoorPlan& doors = plan(turn.last).doors;
  const auto is_used_up = [&](auto& of, const RatePlan& rate) {
    return rate.per_second > 0 && credit(of, *one.home, rate).least < interval_of(rate);
  };
  const bool shakes_hands = static_cast<Entry>(one.entry) == Entry::kSecure;
  return is_used_up(connects_, doors.connects) ||
         (shakes_hands && is_used_up(handshakes_, doors.handshakes));
}

void RefusalJudge::judge_admitted(const Turn& turn, const Judged& one) {
  const auto fail = [&](std::string_view why) {
    stage_.chronicle.fail(kWho, "client {} is let in, {}", one.client, why);
  };
  const auto in_all =
      bounds(turn.first, turn.last, [](const DoorPlan& doors) { return doors.connections; });
  if (turn.in_all.least >= in_all.most) fail("where all places are taken");
  const bool is_spent = std::min(before_.bytes, turn.after.bytes) >= spent_from();
  if (is_spent && newly(turn, Cause::kMemory) == 0) fail("with no memory left");
  if (!one.home) return;
  if (is_denied(turn, one, true)) fail("though its address is denied");
  const auto of_address =
      bounds(turn.first, turn.last, [](const DoorPlan& doors) { return doors.of_address; });
  if (turn.of_home[*one.home].least >= of_address.most) fail("whose address has all its places");
  const DoorPlan& doors = plan(turn.last).doors;
  const auto may_come = [&](auto& of, const RatePlan& rate) {
    return rate.per_second == 0 || credit(of, *one.home, rate).most >= interval_of(rate);
  };
  if (!may_come(connects_, doors.connects)) fail("whose address has used up its rate");
  const bool shakes_hands = static_cast<Entry>(one.entry) == Entry::kSecure;
  if (shakes_hands && !may_come(handshakes_, doors.handshakes)) {
    fail("whose address has used up its handshakes");
  }
}

// Whose address may come uses up its rate, though there may be no room for other reasons.
void RefusalJudge::note(Turn& turn, const Judged& one) {
  const bool may_be_in = one.fate != Fate::kRefused;
  const bool is_in = one.fate == Fate::kIn;
  const auto add = [&](Range& range) {
    range.most += may_be_in ? 1 : 0;
    range.least += is_in ? 1 : 0;
  };
  add(turn.in_all);
  add(turn.of_listener[one.entry]);
  if (!one.home) return;
  add(turn.of_home[*one.home]);
  const bool by_address = newly(turn, Cause::kAddressConnections) +
                              newly(turn, Cause::kAddressRate) + newly(turn, Cause::kDeniedPeer) >
                          0;
  const bool by_others = newly(turn, Cause::kConnections) + newly(turn, Cause::kListener) > 0;
  const bool is_certain = is_in || (one.fate == Fate::kRefused && !by_address);
  const bool is_possible = is_certain || one.fate == Fate::kMaybe || by_others;
  const DoorPlan& doors = plan(turn.last).doors;
  const auto use = [&](auto& of, const RatePlan& rate) {
    if (rate.per_second == 0) return;
    Credit& left = credit(of, *one.home, rate);
    if (is_certain) left.most -= std::min(left.most, interval_of(rate));
    if (is_possible) left.least -= std::min(left.least, interval_of(rate));
  };
  use(connects_, doors.connects);
  if (static_cast<Entry>(one.entry) == Entry::kSecure) use(handshakes_, doors.handshakes);
}

bool RefusalJudge::is_denied(const Turn& turn, const Judged& one, bool by_all) const {
  for (std::uint64_t number = first_for(turn, one.entry); number <= turn.last; ++number) {
    if (!plan(number).listens[one.entry]) continue;
    if (plan(number).doors.denied[*one.home] != by_all) return !by_all;
  }
  return by_all;
}

std::uint64_t RefusalJudge::first_for(const Turn& turn, std::size_t entry) const {
  const bool stays = plan(turn.first).listens[entry] && plan(turn.last).listens[entry];
  return stays ? turn.first : std::min(turn.oldest, turn.first);
}

// `least` and `most` of what these generations say.
template <class Get>
RefusalJudge::Range RefusalJudge::bounds(std::uint64_t first, std::uint64_t last, Get get) const {
  Range range{kAny, 0};
  for (std::uint64_t number = first; number <= last; ++number) {
    const std::uint64_t most = any_if_0(get(plan(number).doors));
    range.least = std::min(range.least, most);
    range.most = std::max(range.most, most);
  }
  return range;
}

RefusalJudge::Credit& RefusalJudge::credit(std::map<std::size_t, Credit>& of, std::size_t home,
                                           const RatePlan& rate) {
  const DoorPlan& doors = plan(1).doors;
  const nanoseconds most = burst_of(rate, std::max(doors.connects.burst, doors.handshakes.burst));
  const auto [at, is_new] = of.try_emplace(home, Credit{most, most, stage_.now()});
  Credit& credit = at->second;
  const nanoseconds passed = stage_.now() - std::exchange(credit.at, stage_.now());
  credit.most = std::min(most, credit.most + passed);
  credit.least = std::min(most, credit.least + passed);
  return credit;
}

const GenerationPlan& RefusalJudge::plan(std::uint64_t number) const {
  while (plans_.size() < number) {
    plans_.push_back(plan_generation(stage_.scenario, plans_.size() + 1));
  }
  return plans_[number - 1];
}

}  // namespace simulation
