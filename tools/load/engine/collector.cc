#include "tools/load/engine/collector.hh"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "tools/load/cpu_time.hh"
#include "tools/load/engine/run.hh"

namespace load {
namespace {

using std::chrono::nanoseconds;

// A thread that worked, or waited for a core, as much as this had no time to be on time.
constexpr double kBusyShare = 0.95;
// Windows that are shorter say nothing about it.
constexpr std::chrono::seconds kJudgedMin{1};
// What the schedule may lag, of the 99th percentile: a part of what is measured, which has that lag
// in it, and at any rate as little as a machine with other work does by itself.
constexpr int kLagPartOfRtt = 10;
constexpr std::chrono::milliseconds kLagAlways{2};

double seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string fixed(double value, int decimals) {
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::uint64_t resident_bytes(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("VmRSS:")) return std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  }
  return 0;
}

// `more` is behind it.
void append(Interval& to, const Interval& more) {
  if (to.length.count() == 0) to.begin = more.begin;
  to.length = more.begin + more.length - to.begin;
  to.phase = more.phase;
  load::add(to.counts, more.counts);
  to.watched_cpu_seconds += more.watched_cpu_seconds;
  to.open = more.open;
  to.errors += more.errors;
  to.rtt.merge(more.rtt);
}

}  // namespace

Collector::Collector(const Plan& plan, std::size_t shards, Duration interval)
    : plan_(plan), interval_(interval), use_(shards) {
  for (const std::string& name : phase_names(plan)) {
    result_.phases.emplace_back();
    result_.phases.back().name = name;
  }
  for (const Target& target : plan.targets) result_.targets.push_back(target.text);
  for (std::size_t i = 0; i < kBadKinds; ++i) {
    if (plan.bad_shares[i] > 0) result_.bad[static_cast<BadKind>(i)] = {};
  }
  result_.command = plan.command;
  result_.of_deliveries = plan.pattern == Pattern::kPublish || plan.pattern == Pattern::kPush;
  result_.compress = plan.compress;
  result_.generator.shards = shards;
  for (const pid_t process : plan.watched) {
    result_.watched.push_back({.pid = process, .resident_bytes_before = resident_bytes(process)});
  }
}

void Collector::begin_phase(std::size_t phase, Duration time) {
  result_.phases[phase].begin = time;
}

void Collector::end_phase(std::size_t phase, Duration time) {
  result_.phases[phase].length = time - result_.phases[phase].begin;
}

void Collector::add(std::size_t shard, const Tally& tally) {
  add_storms(tally);
  for (const auto& [kind, bad] : tally.bad) load::add(result_.bad[kind], bad);
  if (is_measured(is_drain(tally) ? use_[shard].phase : tally.phase)) {
    result_.unsent.none_open += tally.unsent.none_open;
    result_.unsent.bounded += tally.unsent.bounded;
    result_.unsent.missed += tally.unsent.missed;
  }
  if (is_drain(tally)) {
    add_drained(tally, use_[shard].phase);
  } else {
    use_[shard].open = tally.open;
    use_[shard].phase = tally.phase;
    add_to_phase(tally);
    add_to_interval(tally);
    note_use(shard, tally);
  }
  result_.generator.cpu_seconds += seconds(tally.cpu);
  for (const auto& [kind, of_tally] : tally.errors) {
    const bool known =
        result_.errors.contains(kind) || result_.errors.size() < Tally::kErrorKindsMax;
    ErrorKind& of_run = result_.errors[known ? kind : "other"];
    if (of_run.count == 0) of_run.example = of_tally.example;
    of_run.count += of_tally.count;
  }
  for (const auto& [error, count] : tally.lacks) lacks_[error] += count;
  for (const auto& [code, count] : tally.closes_by_peer) result_.closes_by_peer[code] += count;
  for (const auto& [code, count] : tally.closes_by_us) result_.closes_by_us[code] += count;
  for (std::size_t status = 0; status < tally.statuses.size(); ++status) {
    if (tally.statuses[status] == 0) continue;
    result_.statuses[static_cast<int>(status)] += tally.statuses[status];
  }
}

bool Collector::is_measured(std::size_t phase) const {
  return !result_.phases[phase].name.starts_with("ramp");
}

void Collector::add_to_phase(const Tally& tally) {
  Phase& phase = result_.phases[tally.phase];
  load::add(phase.counts, tally.counts);
  for (std::size_t i = 0; i < kTimings; ++i) phase.timings[i].merge(tally.timings[i]);
}

// What became, after the last phase, of what it had in flight. What was answered stays there, since
// its answers are none of the measured time; but how long they took is in the figures, or a target
// that stalls at the end would look better than one that does so in the middle.
void Collector::add_drained(const Tally& tally, std::size_t index) {
  Phase& phase = result_.phases[index];
  const Histogram& rtt = tally.timings[static_cast<std::size_t>(Timing::kRtt)];
  const auto newest = std::ranges::find(intervals_.rbegin(), intervals_.rend(), index,
                                        [](const auto& each) { return each.second.phase; });
  if (newest != intervals_.rend()) newest->second.rtt.merge(rtt);
  for (const Timing timing : {Timing::kRtt, Timing::kService, Timing::kDelivery}) {
    const auto i = static_cast<std::size_t>(timing);
    phase.timings[i].merge(tally.timings[i]);
  }
  Counts last = tally.counts;
  last.sent = last.received = last.in_flight = last.delivered = 0;
  last.sent_bytes = last.received_bytes = 0;
  last.sent_wire_bytes = last.received_wire_bytes = 0;
  load::add(phase.counts, last);
  phase.counts.in_flight -=
      std::min(phase.counts.in_flight, tally.counts.lost + tally.counts.unanswered);
}

// A storm is over when each that it has dropped is open again, or who has come in its place.
void Collector::add_storms(const Tally& tally) {
  storms_.resize(result_.storms.size());
  for (std::size_t i = 0; i < tally.storms.size() && i < storms_.size(); ++i) {
    const StormPart& part = tally.storms[i];
    StormSum& sum = storms_[i];
    Storm& storm = result_.storms[i];
    sum.shards += part.begun ? 1 : 0;
    sum.reopened += part.reopened;
    sum.last = std::max(sum.last, part.last);
    storm.dropped += part.dropped;
    const bool all = sum.shards == use_.size() && sum.reopened == storm.dropped;
    if (all && storm.dropped > 0) storm.recovered = sum.last - storm.begin;
  }
}

void Collector::add_to_interval(const Tally& tally) {
  const auto number = static_cast<std::size_t>((tally.begin + tally.length / 2) / interval_);
  if (number >= kIntervalsMax) {
    join_intervals();
    return add_to_interval(tally);
  }
  const auto [place, first] = intervals_.try_emplace({number, tally.phase});
  Interval& interval = place->second;
  const Duration end = std::max(interval.begin + interval.length, tally.begin + tally.length);
  interval.begin = first ? tally.begin : std::min(interval.begin, tally.begin);
  interval.length = end - interval.begin;
  interval.phase = tally.phase;
  load::add(interval.counts, tally.counts);
  interval.rtt.merge(tally.timings[static_cast<std::size_t>(Timing::kRtt)]);
  interval.errors += tally.error_count;
  interval.watched_cpu_seconds += std::exchange(watched_cpu_, 0);
  interval.open = 0;
  for (const ShardUse& use : use_) interval.open += use.open;
  if (is_measured(tally.phase)) result_.open = interval.open;
  result_.open_max = std::max(result_.open_max, interval.open);
}

void Collector::join_intervals() {
  std::map<std::pair<std::size_t, std::size_t>, Interval> joined;
  for (const auto& [place, interval] : intervals_) {
    append(joined[{place.first / 2, place.second}], interval);
  }
  intervals_ = std::move(joined);
  interval_ *= 2;
}

Interval Collector::recent(Duration time) const {
  // The newest one may lack what other shards have.
  Interval sum;
  auto from = intervals_.end();
  const auto whole = intervals_.empty() ? from : std::prev(from);
  for (from = whole; from != intervals_.begin(); --from) {
    const Interval& before = std::prev(from)->second;
    if (from != whole && whole->second.begin - before.begin > time) break;
  }
  for (; from != whole; ++from) append(sum, from->second);
  return sum;
}

void Collector::note_use(std::size_t shard, const Tally& tally) {
  if (!is_measured(tally.phase)) return;
  ShardUse& use = use_[shard];
  use.cpu += tally.cpu;
  use.wait += tally.wait;
  use.length += tally.length;
  use.recent_cpu += tally.cpu;
  use.recent_length += tally.length;
  if (use.recent_length < std::chrono::seconds(1)) return;
  const double share = seconds(use.recent_cpu) / seconds(use.recent_length);
  result_.generator.busiest_shard = std::max(result_.generator.busiest_shard, share);
  use.recent_cpu = use.recent_length = {};
}

void Collector::judge_generator() {
  judge_threads();
  judge_schedule();
  judge_means();
  const Counts counts = total(result_);
  const auto missed = static_cast<double>(result_.unsent.missed);
  const auto due = static_cast<double>(counts.sent + counts.unsent);
  if (missed <= kUnsentShareMax * due) return;
  result_.generator.limits.push_back(
      "the generator never came to " + fixed(100 * missed / due, 1) +
      " % of what was due: a lower --rate, more --threads, or a machine of its own");
}

// Ports, descriptors and memory of our own machine.
void Collector::judge_means() {
  for (const auto& [error, count] : lacks_) {
    const char* cure = "open fewer, or a machine with more memory";
    if (error == EADDRNOTAVAIL) {
      cure = "more addresses (--source), or a wider net.ipv4.ip_local_port_range";
    } else if (error == EMFILE || error == ENFILE) {
      cure = "raise ulimit -n, or open fewer";
    }
    result_.generator.limits.push_back(std::to_string(count) + " connections could not be begun (" +
                                       std::strerror(error) + "): " + cure);
  }
}

void Collector::judge_threads() {
  for (std::size_t i = 0; i < use_.size(); ++i) {
    const ShardUse& use = use_[i];
    if (use.length < kJudgedMin) continue;
    const double share = seconds(use.cpu) / seconds(use.length);
    const double waited = seconds(use.wait) / seconds(use.length);
    double& busiest = result_.generator.busiest_shard;
    busiest = std::max(busiest, share);
    if (share + waited < kBusyShare) continue;
    std::string text = "thread " + std::to_string(i + 1) + " of the generator was busy for " +
                       fixed(100 * share, 0) + " % of the time";
    if (waited >= 1 - kBusyShare) {
      text += ", and had no core for " + fixed(100 * waited, 0) + " %";
    }
    result_.generator.limits.push_back(text + ": --threads, or a machine of its own");
  }
}

void Collector::judge_schedule() {
  Histogram lag;
  Histogram rtt;
  Duration length{0};
  for (const Phase& phase : result_.phases) {
    if (phase.name.starts_with("ramp")) continue;
    lag.merge(phase.timings[static_cast<std::size_t>(Timing::kScheduleLag)]);
    rtt.merge(phase.timings[static_cast<std::size_t>(Timing::kRtt)]);
    length += phase.length;
  }
  const Duration late = lag.quantile(0.99);
  if (length < kJudgedMin || late <= kLagAlways || late <= rtt.quantile(0.99) / kLagPartOfRtt) {
    return;
  }
  result_.generator.limits.push_back(
      "the generator came to one message in a hundred " + fixed(1e3 * seconds(late), 1) +
      " ms late or more: a lower --rate, more --threads, or a machine of its own");
}

void Collector::look_at_watched(bool measuring) {
  if (cpu_before_.empty()) cpu_before_.resize(result_.watched.size());
  for (std::size_t i = 0; i < result_.watched.size(); ++i) {
    Watched& watched = result_.watched[i];
    const auto process = static_cast<pid_t>(watched.pid);
    const auto cpu = cpu_time_of(process);
    if (!cpu) {
      watched.gone = true;
      ErrorKind& error = result_.errors["processor time of a process"];
      if (error.count++ == 0) error.example = cpu.error();
      continue;
    }
    const double used = std::max(0.0, seconds(*cpu) - cpu_before_[i]);
    cpu_before_[i] = seconds(*cpu);
    if (measuring_) watched.cpu_seconds += used;
    if (measuring_) watched_cpu_ += used;
    watched.resident_bytes_max =
        std::max(watched.resident_bytes_max, resident_bytes(process));
  }
  measuring_ = measuring;
}

Result Collector::finish() {
  judge_generator();
  for (auto& [place, interval] : intervals_) {
    if (interval.length.count() > 0) result_.intervals.push_back(std::move(interval));
  }
  return std::move(result_);
}

}  // namespace load
