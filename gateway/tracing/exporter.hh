// Sends spans to the collector that [tracing] names, a batch at a time, on the main thread's loop.
// A collector that is slow, or gone, costs spans and nothing else: a batch is tried a few times,
// and meanwhile what comes waits in the queue, or is dropped there.
//
//   [waits for a batch, or for its time] -> [exports] -> taken, refused, or given up -> [waits ...
//        '------------------------------------------------- until stop()
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config/generation.hh"
#include "gateway/log/log.hh"
#include "gateway/tracing/collector_call.hh"
#include "gateway/tracing/span_json.hh"
#include "gateway/tracing/span_queue.hh"
#include "uring/bell.hh"

namespace gateway::tracing {

class Exporter final : private uring::BellOwner {
 public:
  static constexpr unsigned kAttempts = 5;  // of a batch
  // Between the first two; each later one is twice as long, or what the collector asks for.
  static constexpr std::chrono::seconds kPauseMin{1};
  // For all that is left at the end.
  static constexpr std::chrono::seconds kLastTime{2};

  // By now, of the pool that stands for the collector.
  using ServersOf = std::function<std::vector<config::Server>(const std::string& pool)>;

  struct Parts {
    uring::LinkResources& links;
    Log log;
    std::shared_ptr<SpanQueue> queue;
    ServersOf servers_of;
    std::string instance;  // service.instance.id
    std::string host;      // host.name
  };
  // Whom it exports to: a generation that has [tracing].
  struct Collector {
    config::SharedGeneration generation;
    std::shared_ptr<tls::ClientContext> tls;  // null: plain

    const config::TracingSettings& settings() const { return *generation->config.tracing; }
  };

  explicit Exporter(Parts parts);
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // Before all else: 0, or errno.
  [[nodiscard]] int open() { return bell_.open(); }
  void start();
  // From the next attempt on; nothing: no spans are exported any more.
  void go_by(std::optional<Collector> collector);
  // What is there is exported, for kLastTime at the most; the rest is dropped.
  uring::Task<> stop();

  struct Counts {
    std::uint64_t exported = 0;
    std::uint64_t rejected = 0;   // by the collector
    std::uint64_t given_up = 0;   // dropped since no collector took them
    std::uint64_t failures = 0;   // attempts
    std::uint64_t under_way = 0;  // of the batch that is exported now
  };
  const Counts& counts() const { return counts_; }

  uring::BlockPool& frames() { return parts_.links.loop.frames(); }

 private:
  using Outcome = CollectorCall::Outcome;
  struct Address {
    config::Address at;
    std::string host;
  };

  void rung() override;
  void on_time();
  bool is_due() const;
  uring::Clock::time_point now() const { return parts_.links.loop.now(); }
  uring::Task<> run();
  uring::Task<> wait_for_batch();
  uring::Task<> export_batch(std::vector<std::string> spans);
  uring::Task<Outcome> attempt(const std::string& body);
  std::vector<Address> addresses_of(const std::string& pool) const;
  uring::Task<> pause(unsigned attempts);
  void note_taken(std::size_t spans, bool by_newest);
  void tell_failure(std::size_t dropped);
  void tell_complaint(std::uint64_t rejected);

  Parts parts_;
  std::optional<Collector> collector_;
  uring::Bell bell_;
  uring::TimerMember<&Exporter::on_time> timer_;  // of a batch, a pause, an attempt, or the end
  uring::Event wake_;
  std::optional<CollectorCall> call_;  // while it is under way
  std::uint64_t rejected_ = 0;         // of the last attempt, as the next two
  std::string cause_;
  std::chrono::seconds retry_after_{0};
  Counts counts_;
  uring::Clock::time_point ends_{uring::Clock::time_point::max()};
  uring::Task<> story_;
  uring::Event ended_;
  bool started_ = false;
  bool time_is_up_ = false;
  unsigned era_ = 0;         // of its collector, which may change in mid-export
  std::size_t first_ = 0;    // of the addresses: the one that is tried first
  bool failing_ = false;     // which has been told
  bool complained_ = false;  // the collector, of what it has taken, likewise
  bool stopping_ = false;
};

}  // namespace gateway::tracing
