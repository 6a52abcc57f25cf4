#include "tools/load/engine/run.hh"

#include <sys/prctl.h>
#include <sys/random.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "tools/load/engine/preflight.hh"
#include "tools/load/engine/shard.hh"
#include "uring/check.hh"

namespace load {
namespace {

using uring::Clock;

// Bytes under way to all peers that are slow to read.
constexpr std::size_t kBatchBudget = std::size_t{128} << 20;
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kShow{1};
// What was sent in time has its time, up to this.
constexpr std::chrono::seconds kDrainMax{10};
// How long connections may take to end in order: after the run, and when it is interrupted.
constexpr std::chrono::seconds kGoodbye{3};
constexpr std::chrono::milliseconds kGoodbyeInterrupted{200};
// Of a phase without an end, where a length is asked for.
constexpr std::chrono::seconds kEndlessTakenFor{10};
// A run up to this has intervals of a tenth of a second.
constexpr std::chrono::seconds kShortRun{30};

// Beside a shard's and a connection's number in 48 bits.
constexpr std::uint16_t kRunMask = 0x3ff;
// A settled figure that does not change for this long, beside the time that opening may take, will
// not change any more.
constexpr std::chrono::seconds kSettled{1};
constexpr Duration kMeasuredMax = std::chrono::hours(10 * 365 * 24);

using Contexts = std::vector<std::unique_ptr<tls::ClientContext>>;

std::expected<Contexts, std::string> make_contexts(const Plan& plan) {
  Contexts contexts;
  for (const Target& target : plan.targets) {
    contexts.emplace_back();
    if (!target.secure) continue;
    auto context = tls::ClientContext::load(plan.tls);
    if (!context) return std::unexpected(context.error());
    contexts.back() = std::move(*context);
  }
  return contexts;
}

void run_shard(const Plan& plan, const ShardSeat& seat, ShardPort& port) {
  // Schedules are more exact than the 50 us by which the kernel may be late.
  prctl(PR_SET_TIMERSLACK, 1UL);
  auto runtime = tools::Runtime::create(kBatchBudget / seat.shards);
  if (!runtime) return port.tell_failed(runtime.error());
  auto contexts = make_contexts(plan);
  if (!contexts) return port.tell_failed(contexts.error());
  Shard shard(**runtime, plan, seat, port, std::move(*contexts));
  if (shard.prepare() != 0) return port.tell_failed("no eventfd for a thread: raise ulimit -n");
  port.tell_ready(shard.orders());
  shard.run();
}

Duration measured(const Plan& plan) {
  Duration sum{0};
  for (const PhasePlan& phase : plan.phases) {
    sum = std::min(sum + phase.length.value_or(kEndlessTakenFor), kMeasuredMax);
  }
  return sum;
}

// At most, of one connection.
Duration opening_takes(const Plan& plan) {
  Duration sum = plan.open_limit;
  if (plan.connect_rate > 0) {
    const auto shards = static_cast<double>(std::max<std::size_t>(plan.threads, 1));
    const double apart = std::min(shards / plan.connect_rate, 86'400.0);
    sum += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(apart));
  }
  for (const Step& step : plan.steps) sum += step.wait.most() + plan.answer_limit;
  return sum;
}

bool is_ramp(const std::string& name) {
  return name.starts_with("ramp");
}

}  // namespace

std::vector<std::string> phase_names(const Plan& plan) {
  std::vector<std::string> names{"ramp"};
  for (const PhasePlan& phase : plan.phases) names.push_back(phase.name);
  return names;
}

Run::Run(const Plan& plan, const sigset_t& signals, Show show)
    : plan_(plan),
      signals_(signals),
      show_(std::move(show)),
      shards_(std::clamp<std::size_t>(plan.threads, 1,
                                      std::max<std::size_t>(most_connections(plan), 1))),
      interval_(measured(plan) <= kShortRun ? Duration(std::chrono::milliseconds(100))
                                           : Duration(std::chrono::seconds(1))),
      collector_(plan, shards_, interval_) {}

Run::~Run() = default;

std::expected<Result, std::string> Run::run() {
  began_ = Clock::now();
  Result& result = collector_.result();
  result.began_unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
  if (auto started = start_shards(); !started) return std::unexpected(started.error());
  open_all();
  warm_up();
  for (std::size_t i = 0; i < plan_.phases.size() && !result.interrupted; ++i) play(i + 1);
  end();
  Result found = collector_.finish();
  Counts counts;
  for (const Phase& phase : found.phases) add(counts, phase.counts);
  found.target_unreachable = counts.connects > 0 && counts.opened == 0;
  return found;
}

std::expected<void, std::string> Run::start_shards() {
  std::uint16_t run = 0;
  CHECK(getrandom(&run, sizeof run, 0) == sizeof run, "getrandom gives so few bytes at once");
  run &= kRunMask;
  for (std::size_t i = 0; i < shards_; ++i) {
    ports_.push_back(std::make_unique<ShardPort>());
    ShardSeat seat{.index = i,
                   .shards = shards_,
                   .began = began_,
                   .interval = interval_,
                   .run = run};
    CHECK(getrandom(&seat.seed, sizeof seat.seed, 0) == sizeof seat.seed,
          "getrandom gives so few bytes at once");
    threads_.emplace_back([this, seat] { run_shard(plan_, seat, *ports_[seat.index]); });
  }
  std::optional<std::string> error;
  std::vector<bool> ready;
  for (const auto& port : ports_) {
    const auto failed = port->wait();
    ready.push_back(!failed);
    if (failed) error = failed;
  }
  if (!error) return {};
  for (std::size_t i = 0; i < shards_; ++i) {
    if (ready[i]) ports_[i]->order({.kind = Order::Kind::kEnd});
  }
  threads_.clear();
  return std::unexpected(*error);
}

// Each connection is opened, or has failed to.
void Run::open_all() {
  const bool ramps = is_ramp(plan_.phases.front().name);
  const bool endless = plan_.churn.per_second > 0 || plan_.pattern == Pattern::kHandshake;
  if (ramps || endless) return;
  order_phase(0, {.name = "ramp", .connections = plan_.connections}, false);
  collector_.begin_phase(0, {});
  const Duration patience = opening_takes(plan_) + kSettled;
  std::size_t settled = 0;
  Time changed = Clock::now();
  while (settled < plan_.connections && go_on_until(Clock::now() + kLook)) {
    const Time now = Clock::now();
    if (std::exchange(settled, sum_of(&ShardPort::settled)) != settled) changed = now;
    if (now - changed > patience) break;
  }
  collector_.end_phase(0, Clock::now() - began_);
}

void Run::warm_up() {
  const PhasePlan& first = plan_.phases.front();
  const bool silent = plan_.pattern == Pattern::kHold;
  if (plan_.warm_up.count() == 0 || is_ramp(first.name) || silent || all_over()) return;
  if (collector_.result().interrupted) return;
  PhasePlan phase = first;
  phase.connections = plan_.connections;
  order_phase(0, phase, true);
  go_on_until(Clock::now() + plan_.warm_up);
  collector_.end_phase(0, Clock::now() - began_);
}

void Run::play(std::size_t index) {
  const PhasePlan& phase = plan_.phases[index - 1];
  const bool counts = !is_ramp(phase.name);
  phase_ = index;
  // Phases may be shorter than a shard needs to begin one.
  while (!has_taken_all() && go_on_until(Clock::now() + kLook)) {
  }
  if (plan_.pattern == Pattern::kHold) {
    std::fprintf(stderr, "holding %zu connections\n", sum_of(&ShardPort::open));
  }
  order_phase(index, phase, true);
  const Time begin = Clock::now();
  collector_.begin_phase(index, begin - began_);
  collector_.result().phases[index].rate_wanted = rate_of(phase, phase.connections);
  collector_.look_at_watched(counts);
  measuring_ = counts;
  if (counts && measured_since_ == Time{}) measured_since_ = begin;
  const Time deadline = phase.length ? begin + *phase.length : Time::max();
  const bool pauses = phase.connections == 0;
  const auto note_end = [&] {
    const auto passed = Clock::now() - begin;
    if (pauses || !phase.length || !all_over() || collector_.result().interrupted) return;
    if (passed >= *phase.length - kLook || collector_.result().cut_short) return;
    collector_.result().cut_short = {.phase = phase.name, .after = passed, .of = *phase.length};
  };
  while (Clock::now() < deadline && (pauses || !all_over())) {
    if (counts) start_storms(measured_since_);
    if (!go_on_until(std::min(deadline, Clock::now() + kLook))) break;
  }
  note_end();
  collector_.end_phase(index, Clock::now() - began_);
  measuring_ = false;
  collector_.look_at_watched(false);
}

void Run::end() {
  const bool interrupted = collector_.result().interrupted;
  const Duration drain = std::min<Duration>(plan_.answer_limit, kDrainMax);
  for (const auto& port : ports_) {
    port->order({.kind = Order::Kind::kEnd,
                 .phase = plan_.phases.size() + 1,
                 .drain = interrupted ? Duration{0} : drain,
                 .goodbye = interrupted ? Duration(kGoodbyeInterrupted) : Duration(kGoodbye)});
  }
  const auto over = [](const auto& port) { return port->over.load(); };
  while (!std::ranges::all_of(ports_, over)) {
    look();
    timespec pause{.tv_sec = 0, .tv_nsec = Duration(kLook).count()};
    if (sigtimedwait(&signals_, nullptr, &pause) <= 0) continue;
    for (const auto& port : ports_) port->hurry = true;
  }
  threads_.clear();
  look();
}

double Run::rate_of(const PhasePlan& phase, std::size_t connections) const {
  return phase.rate.per_second * (phase.rate.per_connection ? static_cast<double>(connections) : 1);
}

// A ramp has the rate of its wider end, of which those that are open have their part.
void Run::order_phase(std::size_t index, const PhasePlan& phase, bool sends) {
  const bool ramps = index > 0 && is_ramp(phase.name);
  const std::size_t before = std::exchange(connections_, phase.connections);
  const std::size_t peak = ramps ? std::max(before, phase.connections) : phase.connections;
  const bool changes = plan_.churn.per_second > 0 || plan_.churn.life.count() > 0;
  for (std::size_t i = 0; i < shards_; ++i) {
    const std::size_t mine = share(peak, i);
    BadNumbers bad{};
    for (std::size_t kind = 0; kind < kBadKinds; ++kind) bad[kind] = share(phase.bad[kind], i);
    const double part =
        static_cast<double>(mine) / static_cast<double>(std::max<std::size_t>(peak, 1));
    ports_[i]->order({.kind = Order::Kind::kPhase,
                      .phase = index,
                      .ramp = ramps ? phase.length.value_or(kEndlessTakenFor) : Duration{0},
                      .connections = share(phase.connections, i),
                      .open_loop = phase.rate.per_second > 0,
                      .per_second = rate_of(phase, peak) * part,
                      .poisson = phase.rate.poisson,
                      .by_connection = ramps || phase.rate.per_connection,
                      .owes_closed = !ramps && !changes,
                      .peak = mine,
                      .sends = sends,
                      .bad = bad});
  }
}

// Connections are spread as evenly as they can be.
std::size_t Run::share(std::size_t connections, std::size_t shard) const {
  return connections / shards_ + (shard < connections % shards_ ? 1 : 0);
}

void Run::start_storms(Time since) {
  if (storms_begun_ == plan_.storms.size()) return;
  const StormPlan& storm = plan_.storms[storms_begun_];
  const Time now = Clock::now();
  if (now < since + storm.at) return;
  ++storms_begun_;
  collector_.result().storms.push_back({.begin = now - began_});
  // Rounded for all together, however few each shard has.
  std::size_t open = 0;
  std::size_t dropped = 0;
  for (const auto& port : ports_) {
    open += port->open.load(std::memory_order_relaxed);
    const auto up_to_here =
        static_cast<std::size_t>(std::llround(storm.share * static_cast<double>(open)));
    port->order({.kind = Order::Kind::kStorm,
                 .storm = storms_begun_ - 1,
                 .dropped = up_to_here - std::exchange(dropped, up_to_here),
                 .reconnect = storm.reconnect});
  }
}

bool Run::go_on_until(Time deadline) {
  for (;;) {
    if (!look()) return false;
    const Duration left = deadline - Clock::now();
    if (left.count() <= 0) return true;
    const Duration pause = std::min<Duration>(left, kLook);
    timespec limit{.tv_sec = 0, .tv_nsec = pause.count()};
    if (sigtimedwait(&signals_, nullptr, &limit) > 0) collector_.result().interrupted = true;
  }
}

bool Run::look() {
  for (std::size_t i = 0; i < shards_; ++i) {
    const auto tallies = ports_[i]->collect();
    if (i == 0 && !tallies.empty() && measuring_) collector_.look_at_watched(true);
    for (const auto& tally : tallies) collector_.add(i, *tally);
  }
  show(sum_of(&ShardPort::open));
  return !collector_.result().interrupted;
}

// Once a second: what it was like since.
void Run::show(std::uint64_t open) {
  const Result& result = collector_.result();
  const Time now = Clock::now();
  if (!show_ || now - shown_ < kShow) return;
  const Interval interval = collector_.recent(kShow);
  if (interval.length.count() == 0) return;
  shown_ = now;
  report::Progress progress{.time = Clock::now() - began_,
                            .in_all = std::nullopt,
                            .phase = result.phases[phase_].name,
                            .p50 = interval.rtt.quantile(0.5),
                            .p99 = interval.rtt.quantile(0.99),
                            .open = open};
  if (phase_ > 0) progress.time -= result.phases[1].begin;
  const bool endless = std::ranges::any_of(plan_.phases, [](const auto& p) { return !p.length; });
  if (phase_ > 0 && !endless) progress.in_all = measured(plan_);
  const double length = std::chrono::duration<double>(interval.length).count();
  const auto messages = static_cast<double>(answers_or_deliveries(result, interval.counts));
  if (length > 0) progress.rate = messages / length;
  for (const auto& [kind, error] : result.errors) progress.errors += error.count;
  show_(progress);
}

std::size_t Run::sum_of(std::atomic<std::size_t> ShardPort::*gauge) const {
  std::size_t sum = 0;
  for (const auto& port : ports_) sum += ((*port).*gauge).load(std::memory_order_relaxed);
  return sum;
}

// Nothing is there any more, nor will be.
bool Run::all_over() const {
  if (plan_.churn.per_second > 0) return false;
  return has_taken_all() && sum_of(&ShardPort::alive) == 0;
}

bool Run::has_taken_all() const {
  return std::ranges::all_of(ports_, [](const auto& port) { return port->has_taken_all(); });
}

}  // namespace load
