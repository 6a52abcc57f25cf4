#include "gateway/upstream/health_checks.hh"
#include "gateway/upstream/server_line.hh"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

namespace gateway {
namespace {

// FNV-1a: the same on every shard and in every generation.
std::uint64_t hash_of(const std::string& pool, const std::string& server) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  add(pool);
  add(" ");
  add(server);
  return hash ^ hash >> 32;
}

config::Address with_port(config::Address address, std::size_t port) {
  const auto value = htons(static_cast<std::uint16_t>(port));
  if (address.family() == AF_INET) {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = value;
  } else if (address.family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = value;
  }
  return address;
}

}  // namespace

// One server's. It is destroyed when nothing of it is under way.
class HealthChecks::Check {
 public:
  Check(HealthChecks& owner, UpstreamPool& pool, std::size_t index)
      : owner_(owner), pool_(pool), index_(index), timer_(*this, owner.links_.loop.timers()) {
    // Those of all servers do not begin at once.
    const auto most = std::min<uring::Clock::duration>(terms().every, std::chrono::seconds(1));
    timer_.arm(now() + random_part(most));
  }

  bool is_of(const UpstreamPool& pool, std::size_t index) const {
    return &state() == &pool.server(index).state();
  }
  void renew(UpstreamPool& pool, std::size_t index) {
    const bool is_sooner = pool.config().health.check->every < terms().every;
    pool_ = uring::Held<UpstreamPool>(pool);
    index_ = index;
    wanted_ = true;
    // One that is asked keeps its time.
    if (is_sooner && is_idle() && timer_.armed()) timer_.arm(now() + random_part(terms().every));
  }
  ServerState& state() const { return pool_->server(index_).state(); }
  const config::HealthCheck& terms() const { return *pool_->config().health.check; }

  // Marked by adopt() where the newest pools have it.
  void set_wanted(bool wanted) { wanted_ = wanted; }
  bool wanted() const { return wanted_; }
  bool is_idle() const { return story_.done() && !over_.queued(); }
  void end() {
    wanted_ = false;
    timer_.disarm();
    if (!probe_) return;
    was_stopped_ = true;
    probe_->abort();
  }

  uring::BlockPool& frames() { return owner_.frames(); }

 private:
  uring::Clock::time_point now() const { return owner_.links_.loop.now(); }
  uring::Clock::duration random_part(uring::Clock::duration most) {
    std::uint32_t drawn = 0;
    owner_.links_.loop.kernel().fill_random(std::as_writable_bytes(std::span(&drawn, 1)));
    return most / 1000 * static_cast<long>(drawn % 1000);
  }

  void on_time() {
    if (!story_.done()) return probe_->abort();
    if (owner_.under_way_ >= kAtOnce) return timer_.arm(now() + kMoment);
    begun_ = now();
    ++owner_.under_way_;
    owner_.upstreams_.note_probes(owner_.under_way_);
    story_ = run();
    story_.start();
  }

  // Each address in turn, until one passes: the server is as well as its best one.
  uring::Task<> run() {
    using Verdict = HealthProbe::Verdict;
    // What a later generation brings holds from the next time on.
    const uring::Held<UpstreamPool> pool = pool_;
    const std::size_t index = index_;
    const std::string host = host_of(*pool, index);
    const std::pmr::vector<std::size_t> order = owner_.upstreams_.addresses_of(*pool, index);
    verdict_ = Verdict::kUnknown;
    for (const std::size_t at : order) {
      const config::HealthCheck& check = *pool->config().health.check;
      const config::Address& own = pool->addresses_of(index)[at];
      const config::Address address = check.port == 0 ? own : with_port(own, check.port);
      const auto& tls = pool->config().tls;
      const bool has_name = tls && !tls->name.empty();
      probe_.emplace(
          owner_.links_,
          HealthProbe::Question{.check = check,
                                .drain_on = pool->config().health.drain_on,
                                .host = host,
                                .server_name = has_name ? tls->name : pool->config_of(index).host,
                                .address = address,
                                .tcp = pool->config().tcp,
                                .tls = pool->tls(),
                                .source = pool->next_source(address.family()),
                                .proxy_header = pool->config().proxy_header});
      timer_.arm(now() + check.timeout);
      co_await probe_->run();
      timer_.disarm();
      verdict_ = probe_->verdict();
      cause_ = probe_->cause();
      probe_.reset();
      if (verdict_ == Verdict::kPassed || was_stopped_) break;
    }
    owner_.links_.loop.push_next_turn(over_);
  }

  static std::string host_of(const UpstreamPool& pool, std::size_t index) {
    const config::Server& server = pool.config_of(index);
    // Of "NAME:PORT/ADDRESS" what clients would ask for.
    return server.host.empty() ? "localhost" : server.text.substr(0, server.text.find('/'));
  }

  void on_over() {
    story_ = {};
    --owner_.under_way_;
    owner_.upstreams_.note_probes(owner_.under_way_);
    if (owner_.under_way_ == 0) owner_.idle_.set();
    if (!wanted_) return owner_.forget(*this);
    if (!std::exchange(was_stopped_, false)) tell();
    // A tenth less or more, so that those of many gateways do not come together.
    const uring::Clock::duration every = terms().every;
    const auto next = begun_ + every * 9 / 10 + random_part(every / 5);
    timer_.arm(std::max(next, now() + kMoment));
  }

  void tell() {
    using Verdict = HealthProbe::Verdict;
    using Change = ServerHealth::Change;
    const std::string& pool = pool_->config().name;
    const std::string& server = pool_->server(index_).text();
    ServerHealth& health = state().health;
    if (verdict_ == Verdict::kUnknown) return;
    if (verdict_ == Verdict::kLeaves) {
      if (!health.note_leaving(ServerHealth::Time::max())) return;
      return ServerLine(owner_.log_, LogLevel::warning, pool, server, "leaving")
          .quoted("check", cause_)
          .write();
    }
    const Change change = health.note_check(verdict_ == Verdict::kPassed, terms(), now());
    if (change == Change::kUp) {
      ServerLine(owner_.log_, LogLevel::info, pool, server, "up").word("after", "check").write();
    } else if (change == Change::kDown) {
      ServerLine(owner_.log_, LogLevel::warning, pool, server, "down")
          .quoted("check", cause_)
          .write();
    }
  }

  HealthChecks& owner_;
  uring::Held<UpstreamPool> pool_;
  std::size_t index_;
  std::optional<HealthProbe> probe_;  // while it asks
  HealthProbe::Verdict verdict_ = HealthProbe::Verdict::kUnknown;
  std::string cause_;
  uring::Clock::time_point begun_{};
  // When it is to ask, or how long the asked one may take.
  uring::TimerMember<&Check::on_time> timer_;
  uring::ReadyMember<&Check::on_over> over_{*this};
  uring::Task<> story_;
  bool wanted_ = true;
  bool was_stopped_ = false;  // the one that is asked: what it found means nothing
};

HealthChecks::HealthChecks(uring::LinkResources& links, Upstreams& upstreams, std::size_t shard,
                           std::size_t shards, Log log)
    : links_(links),
      upstreams_(upstreams),
      shard_(shard),
      shards_(shards),
      log_(log),
      idle_(links.loop.ready()) {}

HealthChecks::~HealthChecks() = default;

bool HealthChecks::is_mine(const std::string& pool, const std::string& server) const {
  return hash_of(pool, server) % shards_ == shard_;
}

void HealthChecks::adopt(const std::vector<uring::Held<UpstreamPool>>& pools) {
  if (stopped_) return;
  for (const auto& check : checks_) check->set_wanted(false);
  for (const uring::Held<UpstreamPool>& pool : pools) {
    for (std::size_t index = 0; index < pool->size(); ++index) {
      settle_new(*pool, index);
      settle_unchecked(*pool, index);
      const bool mine = is_mine(pool->config().name, pool->server(index).text());
      if (mine && pool->config().health.check) adopt(*pool, index);
    }
  }
  for (const auto& check : checks_) {
    if (!check->wanted()) check->end();
  }
  std::erase_if(checks_, [](const auto& check) { return !check->wanted() && check->is_idle(); });
}

// All shards get a server before they ask it anything, and the first one decides what it is.
void HealthChecks::settle_new(UpstreamPool& pool, std::size_t index) {
  const auto& check = pool.config().health.check;
  const bool initially_down = check && check->initially_down;
  const bool is_down = [&] {
    const std::lock_guard lock(pool.state().ejecting());
    return pool.server(index).state().health.note_known(initially_down);
  }();
  if (!is_down) return;
  ServerLine(log_, LogLevel::info, pool.config().name, pool.server(index).text(), "down")
      .word("until", "check")
      .write();
}

// What earlier generations have found by ways that this one does not have.
void HealthChecks::settle_unchecked(UpstreamPool& pool, std::size_t index) {
  ServerHealth& health = pool.server(index).state().health;
  const config::PoolHealth& terms = pool.config().health;
  const auto now = links_.loop.now();
  const bool mine = is_mine(pool.config().name, pool.server(index).text());
  const bool was_ejected = !terms.ejection.is_on() && health.end_ejection(now);
  const bool was_ill = !terms.check && mine && health.end_checks(now);
  if (!was_ejected && !was_ill) return;
  ServerLine(log_, LogLevel::info, pool.config().name, pool.server(index).text(), "up")
      .word("after", "reload")
      .write();
}

void HealthChecks::adopt(UpstreamPool& pool, std::size_t index) {
  const auto known =
      std::ranges::find_if(checks_, [&](const auto& check) { return check->is_of(pool, index); });
  if (known != checks_.end()) return (*known)->renew(pool, index);
  checks_.push_back(std::make_unique<Check>(*this, pool, index));
}

void HealthChecks::forget(Check& check) {
  std::erase_if(checks_, [&](const auto& one) { return one.get() == &check; });
}

uring::Task<> HealthChecks::stop() {
  stopped_ = true;
  for (const auto& check : checks_) check->end();
  while (under_way_ > 0) {
    idle_.clear();
    co_await idle_.wait();
  }
  checks_.clear();
}

}  // namespace gateway
