#include "gateway/tracing/exporter.hh"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "gateway/log/line.hh"
#include "gateway/version.hh"

namespace gateway::tracing {

Exporter::Exporter(Parts parts)
    : parts_(std::move(parts)),
      bell_(parts_.links.loop, static_cast<uring::BellOwner&>(*this)),
      timer_(*this, parts_.links.loop.timers()),
      wake_(parts_.links.loop.ready()),
      ended_(parts_.links.loop.ready()) {
  parts_.queue->set_bell(&bell_);
}

Exporter::~Exporter() {
  parts_.queue->set_bell(nullptr);
}

void Exporter::start() {
  started_ = true;
  bell_.start();
  story_ = run();
  story_.start();
}

void Exporter::go_by(std::optional<Collector> collector) {
  const bool is_same =
      collector && collector_ && collector->settings().endpoint == collector_->settings().endpoint;
  collector_ = std::move(collector);
  parts_.queue->set_room(collector_ ? collector_->settings().queue : 0);
  if (is_same) return;
  failing_ = complained_ = false;
  first_ = 0;
  ++era_;
  wake_.set();
}

uring::Task<> Exporter::stop() {
  if (!started_) co_return;
  stopping_ = true;
  ends_ = now() + kLastTime;
  timer_.arm(ends_);
  wake_.set();
  co_await ended_.wait();
  timer_.disarm();
  const std::size_t left = parts_.queue->size();
  parts_.queue->set_room(0);
  if (left > 0) parts_.log.warning("tracing: {} spans were not exported before the end", left);
  co_await bell_.stop();
}

// The log's thread has a first span, or a batch.
void Exporter::rung() {
  wake_.set();
}

void Exporter::on_time() {
  time_is_up_ = true;
  if (call_) call_->abort();
  wake_.set();
}

bool Exporter::is_due() const {
  return stopping_ || parts_.queue->has_batch() || (time_is_up_ && parts_.queue->size() > 0);
}

uring::Task<> Exporter::run() {
  for (;;) {
    co_await wait_for_batch();
    std::vector<std::string> spans = parts_.queue->take_batch();
    if (!spans.empty()) {
      co_await export_batch(std::move(spans));
    } else if (stopping_) {
      break;
    }
    if (now() >= ends_) break;
  }
  ended_.set();
}

uring::Task<> Exporter::wait_for_batch() {
  if (stopping_) co_return;
  time_is_up_ = false;
  while (!is_due()) {
    const bool waits = parts_.queue->size() > 0;
    if (!waits) time_is_up_ = false;
    if (waits && collector_ && !timer_.armed()) {
      timer_.arm(now() + collector_->settings().interval);
    }
    wake_.clear();
    co_await wake_.wait();
  }
  if (!stopping_) timer_.disarm();
}

uring::Task<> Exporter::export_batch(std::vector<std::string> spans) {
  const std::string body =
      export_json({.service = collector_ ? collector_->settings().service : std::string(),
                   .version = std::string(kVersion),
                   .instance = parts_.instance,
                   .host = parts_.host,
                   .pid = getpid()},
                  spans);
  counts_.under_way = spans.size();
  bool taken = false;
  unsigned era = era_;
  for (unsigned attempts = 1; collector_; ++attempts) {
    era = era_;
    const Outcome outcome = co_await attempt(body);
    taken = outcome == Outcome::kTaken;
    if (taken) break;
    ++counts_.failures;
    if (era != era_) continue;
    if (outcome == Outcome::kRefused || attempts >= kAttempts || stopping_) break;
    tell_failure(0);
    co_await pause(attempts);
  }
  counts_.under_way = 0;
  if (taken) {
    note_taken(spans.size(), era == era_);
  } else {
    counts_.given_up += spans.size();
    if (era == era_) tell_failure(spans.size());
  }
}

// Address by address, until one answers; the next attempt begins with the one behind that which has
// failed.
uring::Task<CollectorCall::Outcome> Exporter::attempt(const std::string& body) {
  const Collector collector = *collector_;
  const config::TracingSettings& settings = collector.settings();
  const config::Pool& pool = collector.generation->config.pools[settings.pool];
  const std::vector<Address> addresses = addresses_of(settings.pool_name);
  Outcome outcome = Outcome::kUnreachable;
  rejected_ = 0;
  cause_ = "its name has no address";
  retry_after_ = {};
  time_is_up_ = false;
  timer_.arm(std::min(now() + settings.timeout, ends_));
  for (std::size_t tried = 0; tried < addresses.size(); ++tried) {
    if (outcome != Outcome::kUnreachable || time_is_up_) break;
    const Address& address = addresses[first_ % addresses.size()];
    const ServerCall::Target target{.address = address.at.get(),
                                    .address_bytes = address.at.length,
                                    .tcp = pool.tcp,
                                    .tls = collector.tls.get(),
                                    .server_name = address.host};
    call_.emplace(parts_.links);
    co_await call_->run(target, settings, body);
    outcome = call_->outcome();
    rejected_ = call_->rejected();
    cause_ = call_->cause();
    retry_after_ = call_->retry_after();
    call_.reset();
    if (outcome == Outcome::kUnreachable || outcome == Outcome::kBusy) ++first_;
  }
  if (!stopping_) timer_.disarm();
  co_return outcome;
}

std::vector<Exporter::Address> Exporter::addresses_of(const std::string& pool) const {
  std::vector<Address> addresses;
  for (const config::Server& server : parts_.servers_of(pool)) {
    for (const config::Address& at : server.addresses) addresses.push_back({at, server.host});
  }
  return addresses;
}

uring::Task<> Exporter::pause(unsigned attempts) {
  const std::chrono::seconds usual = kPauseMin * (1u << (attempts - 1));
  const auto until = now() + std::max(usual, retry_after_);
  const unsigned era = era_;
  while (now() < until && !stopping_ && era == era_) {
    timer_.arm(until);
    wake_.clear();
    co_await wake_.wait();
  }
  if (!stopping_) timer_.disarm();
}

void Exporter::note_taken(std::size_t spans, bool by_newest) {
  const std::uint64_t rejected = std::min<std::uint64_t>(rejected_, spans);
  counts_.rejected += rejected;
  counts_.exported += spans - rejected;
  if (!by_newest) return;
  tell_complaint(rejected);
  if (!std::exchange(failing_, false) || !collector_) return;
  LogLine(parts_.log, LogLevel::info, "tracing")
      .word("endpoint", collector_->settings().endpoint)
      .remark("the collector takes spans again")
      .write();
}

// Once, until it takes all without a word.
void Exporter::tell_complaint(std::uint64_t rejected) {
  const bool complains = rejected > 0 || !cause_.empty();
  const bool is_told = std::exchange(complained_, complains);
  if (!complains || is_told || !collector_) return;
  LogLine(parts_.log, LogLevel::warning, "tracing")
      .word("endpoint", collector_->settings().endpoint)
      .number("rejected", rejected)
      .quoted("cause", cause_)
      .remark("the collector takes spans, but not as they are")
      .write();
}

// Once, until it takes some again.
void Exporter::tell_failure(std::size_t dropped) {
  if (!collector_ || std::exchange(failing_, true)) return;
  LogLine line(parts_.log, LogLevel::warning, "tracing");
  line.word("endpoint", collector_->settings().endpoint).quoted("cause", cause_);
  if (dropped > 0) line.number("dropped", dropped);
  line.remark(dropped > 0 ? "the collector does not take these spans"
                          : "the collector takes no spans: they wait, and what finds no room is "
                            "dropped");
  line.write();
}

}  // namespace gateway::tracing
