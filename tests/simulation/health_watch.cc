#include "tests/simulation/health_watch.hh"

#include <algorithm>

namespace simulation {
namespace {

constexpr std::string_view kWho = "health";
// What a jump of the time takes away from an interval, and what a late kernel does.
constexpr milliseconds kEarly{60};
constexpr milliseconds kJump{320};
// From what a server has said until all shards know of it.
constexpr milliseconds kSlack{800};
// From a choice until its server has the head of the request: it was dialled meanwhile.
constexpr milliseconds kMoveTime{2500};

constexpr bool asks(const HealthPlan& terms) {
  return terms.is_on && terms.kind != CheckKind::kTcp;
}

}  // namespace

HealthWatch::HealthWatch(Stage& stage) : stage_(stage), started_(stage.now()) {}

bool HealthWatch::is_blurred() const {
  return stage_.may_miss_servers();
}

Illness HealthWatch::note_check(const Site& site, Time dialled) {
  Known& known = known_[index_of(site)];
  judge_time(site, dialled);
  known.dialled_at = dialled;
  const IllnessPlan plan = plan_illness(stage_.scenario, index_of(site));
  const auto since = stage_.now() - started_;
  const bool is_ill = plan.illness != Illness::kNone && since >= plan.from && since < plan.to;
  known.passes = is_ill ? 0 : known.passes + 1;
  known.fails = is_ill ? known.fails + 1 : 0;
  if (asks(known.terms)) {
    if (known.fails >= known.terms.fall) expect(known, State::kDown);
    if (known.passes >= known.terms.rise) expect(known, State::kUp);
  }
  stage_.chronicle.note(kWho, "{} is asked, and {}", site.address, is_ill ? "ill" : "well");
  return is_ill ? plan.illness : Illness::kNone;
}

void HealthWatch::expect(Known& known, State state) {
  if (known.state == state) return;
  known.state = state;
  known.due_at = stage_.now() + known.terms.timeout + kSlack;
}

// By the whole process, and by no earlier terms.
void HealthWatch::judge_time(const Site& site, Time dialled) {
  if (ended_) return;
  const Known& known = known_[index_of(site)];
  const bool is_off = known.listed && !asks(known.terms);
  if (is_off && dialled >= known.changed_at + kSlack) {
    stage_.chronicle.fail(kWho, "{} is asked, which nobody wants", site.address);
  }
  const bool is_new = !known.dialled_at || *known.dialled_at <= known.changed_at;
  if (is_new || is_off || !known.listed) return;
  const bool jumps = (stage_.scenario.faults & kTimeJumps) != 0;
  const auto gap = dialled - *known.dialled_at + kEarly + (jumps ? kJump : milliseconds(0));
  if (gap >= known.terms.every * 9 / 10) return;
  stage_.chronicle.fail(
      kWho, "{} is asked twice within {} ms, every {} ms", site.address,
      std::chrono::duration_cast<milliseconds>(dialled - *known.dialled_at).count(),
      known.terms.every.count());
}

void HealthWatch::note_line(std::string_view line) {
  const bool is_down = line.find(" state=down ") != line.npos;
  const bool is_up = line.find(" state=up after=check") != line.npos ||
                     line.find(" state=up after=reload") != line.npos;
  if (!is_down && !is_up) return;
  for (std::size_t site = 0; site < kSites.size(); ++site) {
    const std::string names = fmt::format(" upstream={} ", kSites[site].address);
    if (line.find(names) == line.npos) continue;
    Known& known = known_[site];
    if (known.told_down == is_down) {
      stage_.chronicle.fail(kWho, "the log tells what it has told before: {}", line);
    }
    known.told_down = is_down;
  }
}

void HealthWatch::follow(const GenerationPlan& newest, bool adopted, const Sites& listed) {
  const Time now = stage_.now();
  adopted_ = adopted;
  for (std::size_t site = 0; site < kSites.size(); ++site) {
    Known& known = known_[site];
    const HealthPlan& terms = newest.health[static_cast<std::size_t>(kSites[site].pool)];
    const bool is_news = terms != known.terms || listed[site] != known.listed;
    if (is_news) {
      if (listed[site] != known.listed) known.told_down.reset();
      known.terms = terms;
      known.listed = listed[site];
      known.passes = known.fails = 0;
      known.state = State::kUnknown;
    }
    const bool is_new = is_news || (!adopted && known.changed_at + kSlack > now);
    if (is_new) known.changed_at = now;
    // Nobody is down whom nobody checks.
    if (known.listed && !terms.is_on && (is_new || known.state == State::kUnknown)) {
      known.state = State::kUp;
      known.due_at = now + kSlack;
    }
  }
}

void HealthWatch::judge(std::size_t site, bool is_down) {
  Known& known = known_[site];
  if (!known.listed) return;
  // Until all shards have it, it may be the one that was there before.
  if (!known.told_down && !adopted_) return;
  if (!known.told_down) known.told_down = is_down;
  if (*known.told_down != is_down) {
    stage_.chronicle.fail(kWho, "{} is {}, the log says the contrary", kSites[site].address,
                          is_down ? "down" : "up");
  }
  judge_silence(site);
  if (is_blurred() || known.state == State::kUnknown || stage_.now() < known.due_at) return;
  if (is_down == (known.state == State::kDown)) return;
  stage_.chronicle.fail(kWho, "{} is {}, having passed {} and failed {} checks in a row",
                        kSites[site].address, is_down ? "down" : "up", known.passes, known.fails);
}

void HealthWatch::judge_silence(std::size_t site) {
  const Known& known = known_[site];
  if (!asks(known.terms) || is_blurred() || kSites[site].address == kRefusing) return;
  const Time last = std::max(known.changed_at, known.dialled_at.value_or(started_));
  // The first one comes within a second, or within `every`.
  const auto most = known.terms.every + std::chrono::seconds(1) + known.terms.timeout + kSlack;
  if (stage_.now() <= last + most) return;
  stage_.chronicle.fail(kWho, "{} is asked no more", kSites[site].address);
}

bool HealthWatch::is_surely_down(const Site& site) const {
  const Known& known = known_[index_of(site)];
  return !is_blurred() && known.listed && known.state == State::kDown &&
         stage_.now() >= known.due_at + kMoveTime;
}

bool HealthWatch::may_be_down(PoolKind pool) const {
  if (!is_ever_checked(stage_.scenario, pool)) return false;
  if (is_blurred()) return true;
  for (std::size_t site = 0; site < kSites.size(); ++site) {
    const Known& known = known_[site];
    const bool counts = kSites[site].pool == pool && kSites[site].address != kRefusing;
    if (!counts) continue;
    const bool is_up = known.listed && known.state == State::kUp && known.fails == 0 &&
                       stage_.now() >= known.due_at;
    if (known.listed && !is_up) return true;
  }
  return false;
}

}  // namespace simulation
