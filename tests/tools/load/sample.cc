#include "tests/tools/load/sample.hh"

#include <algorithm>
#include <cmath>
#include <random>

namespace load::sample {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

class Run {
 public:
  explicit Run(const Options& options) : options_(options), random_(options.seed) {}

  Result make();

 private:
  void ramp(std::string name, std::size_t length, std::uint64_t from, std::uint64_t to);
  void hold(std::string name, std::size_t length);
  void storm(std::size_t length);
  void second(std::uint64_t open, double messages, double slowness);
  void begin(std::string name, std::size_t length, double rate_wanted);
  void connect(std::uint64_t count);
  void misbehave();
  nanoseconds draw(double median_us, double spread);
  Histogram& timing(Timing timing) {
    return result_.phases.back().timings[static_cast<std::size_t>(timing)];
  }
  // What the generator counts, it counts for the phase and for the interval.
  void count(std::uint64_t Counts::*member, std::uint64_t more) {
    result_.phases.back().counts.*member += more;
    pending_.*member += more;
  }

  Options options_;
  std::mt19937_64 random_;
  Result result_;
  Counts pending_;  // of the interval that comes
  std::uint64_t errors_ = 0;
  std::size_t time_ = 0;
};

nanoseconds Run::draw(double median_us, double spread) {
  std::normal_distribution<double> normal(0, spread);
  return nanoseconds(std::llround(median_us * 1e3 * std::exp(normal(random_))));
}

void Run::begin(std::string name, std::size_t length, double rate_wanted) {
  result_.phases.push_back({.name = std::move(name),
                            .begin = seconds(time_),
                            .length = seconds(length),
                            .rate_wanted = rate_wanted});
}

void Run::connect(std::uint64_t wanted) {
  count(&Counts::connects, wanted);
  count(&Counts::opened, wanted);
  for (std::uint64_t i = 0; i < wanted; ++i) {
    const bool resumed = i % 3 != 0;
    timing(Timing::kTcp).add(draw(180, 0.3));
    timing(Timing::kTls).add(draw(resumed ? 420 : 1900, 0.35));
    timing(Timing::kUpgrade).add(draw(350, 0.4));
    timing(Timing::kFirstMessage).add(draw(1300, 0.4));
    count(resumed ? &Counts::resumed : &Counts::full, 1);
  }
}

void Run::second(std::uint64_t open, double messages, double slowness) {
  Interval interval{.begin = seconds(time_), .length = seconds(1)};
  interval.phase = result_.phases.size() - 1;
  const auto sent = static_cast<std::uint64_t>(messages);
  for (std::uint64_t i = 0; i < sent; ++i) {
    const bool straggler = random_() % 1000 < 4;
    const nanoseconds service = draw(310 * slowness, straggler ? 1.4 : 0.28);
    const nanoseconds lag = draw(12, 0.8);
    interval.rtt.add(service + lag);
    timing(Timing::kService).add(service);
    timing(Timing::kScheduleLag).add(lag);
  }
  timing(Timing::kRtt).merge(interval.rtt);
  count(&Counts::sent, sent);
  count(&Counts::received, sent);
  count(&Counts::sent_bytes, sent * 64);
  count(&Counts::received_bytes, sent * 64);
  interval.counts = pending_;
  interval.open = open;
  interval.errors = errors_;
  const double jitter = 0.95 + 0.0001 * static_cast<double>(random_() % 1000);
  interval.watched_cpu_seconds = messages * 9.4e-6 * jitter;
  result_.intervals.push_back(std::move(interval));
  pending_ = {};
  errors_ = 0;
  ++time_;
}

void Run::ramp(std::string name, std::size_t length, std::uint64_t from, std::uint64_t to) {
  begin(std::move(name), length, 0);
  std::uint64_t open = from;
  for (std::size_t i = 1; i <= length; ++i) {
    const auto share = static_cast<double>(i) / static_cast<double>(length);
    const auto next = static_cast<std::uint64_t>(
        std::llround(std::lerp(static_cast<double>(from), static_cast<double>(to), share)));
    if (next > open) connect(next - open);
    open = next;
    second(open, 4.0 * static_cast<double>(open), options_.slowness);
  }
}

void Run::hold(std::string name, std::size_t length) {
  begin(std::move(name), length, 4000);
  for (std::size_t i = 0; i < length; ++i) {
    const double wave = 1 + 0.08 * std::sin(static_cast<double>(i) / 4);
    const double hiccup = i == length * 2 / 3 ? 3.5 : 1;
    const double jitter = 0.98 + 0.00004 * static_cast<double>(random_() % 1000);
    second(1000, 4000 * jitter, options_.slowness * wave * hiccup);
  }
}

void Run::storm(std::size_t length) {
  begin("storm", length, 4000);
  result_.storms.push_back({.begin = seconds(time_ + 2), .dropped = 500,
                            .recovered = std::chrono::milliseconds(4380)});
  std::uint64_t open = 1000;
  for (std::size_t i = 0; i < length; ++i) {
    if (i == 2) {
      open = 500;
      count(&Counts::sent, 37);
      count(&Counts::unanswered, 37);
      count(&Counts::lost_sending, 9);
      errors_ = 21;
    } else if (i > 2 && open < 1000) {
      const std::uint64_t back = std::min<std::uint64_t>(125, 1000 - open);
      connect(back);
      open += back;
      errors_ = 12 - std::min<std::uint64_t>(12, 2 * i);
    }
    const double share = static_cast<double>(open) / 1000;
    second(open, 4000 * share, options_.slowness * (1 + 6 * (1 - share)));
  }
}

void Run::misbehave() {
  result_.bad[BadKind::kReset] = {.opened = 310, .ended_by_us = 305, .open = 5};
  result_.bad[BadKind::kHalfOpen] = {
      .opened = 60, .statuses = {{408, 25}}, .cut = 25, .open = 10, .open_longest = seconds(71)};
  result_.bad[BadKind::kNeverPong] = {.refused = 2, .opened = 50, .closes = {{1011, 50}}};
  result_.bad[BadKind::kBroken] = {.opened = 20, .closes = {{1002, 15}, {1007, 5}}};
  for (auto& [kind, bad] : result_.bad) {
    for (std::uint64_t i = 0; i < ended_by_peer(bad); ++i) {
      bad.until_ended.add(draw(kind == BadKind::kBroken ? 300 : 12e6, 0.2));
    }
  }
}

Result Run::make() {
  result_.version = "0.1.0";
  result_.command =
      "gateway-load wss://gateway.example/echo --connections 1000 --rate 4000 --storm 'at=72s "
      "drop=50% reconnect=full-jitter:5s'";
  result_.targets = {"wss://gateway.example/echo"};
  result_.began_unix_ms = 1'765'000'000'123;
  ramp("ramp", 10, 0, 1000);
  hold("hold", options_.seconds);
  storm(20);
  ramp("ramp-down", 6, 1000, 0);
  result_.phases[2].counts.sent += 4;
  result_.phases[2].counts.lost += 4;
  result_.open = 1000;
  result_.open_max = 1000;
  result_.closes_by_peer = {{1001, 12}, {1006, 9}, {1011, 3}};
  result_.closes_by_us = {{1000, 979}, {1009, 2}};
  result_.statuses = {{101, 1500}, {503, 17}};
  result_.errors = {
      {"connection reset", {9, "10.0.0.7:443: read: Connection reset by peer"}},
      {"upgrade: status 503", {17, "10.0.0.7:443: 503 Service Unavailable, Retry-After: 1"}},
      {"connect: timed out", {13, "10.0.0.7:443: no answer within 5 s"}},
  };
  result_.generator = {.cpu_seconds = 21.4, .busiest_shard = 0.41, .shards = 2, .limits = {}};
  result_.watched = {{.pid = 4711, .cpu_seconds = 3.05, .resident_bytes_max = 38'400'000,
                      .resident_bytes_before = 11'200'000}};
  misbehave();
  return std::move(result_);
}

}  // namespace

Result run(const Options& options) { return Run(options).make(); }

}  // namespace load::sample
