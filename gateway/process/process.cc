#include "gateway/process/process.hh"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <system_error>
#include <utility>

#include "gateway/config/reader.hh"
#include "gateway/log/file.hh"
#include "gateway/log/quoted.hh"
#include "gateway/version.hh"
#include "proto/tls/library.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

constexpr auto kSignals = {SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

// Shards are pinned where each has a core of its own.
void pin_to_core(std::thread& thread, unsigned index, unsigned shard_count) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  if (static_cast<unsigned>(CPU_COUNT(&allowed)) != shard_count) return;
  for (unsigned core = 0, seen = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed) || seen++ != index) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    pthread_setaffinity_np(thread.native_handle(), sizeof one, &one);
    return;
  }
}

}  // namespace

std::expected<std::unique_ptr<Process>, std::string> Process::create(
    const Options& options, config::SharedGeneration first) {
  // Before signals are blocked: they end a start that waits for a disk.
  const config::LogSettings& settings = first->config.log;
  const std::string file = options.test ? std::string(kStderrName) : settings.file;
  auto writer = LogWriter::start(file, settings.level, settings.buffer_bytes);
  if (!writer) return std::unexpected(writer.error());
  std::unique_ptr<Process> process(new Process(options, std::move(first), std::move(*writer)));
  if (auto done = process->set_up(); !done) return std::unexpected(done.error());
  return process;
}

Process::Process(const Options& options, config::SharedGeneration first,
                 std::unique_ptr<LogWriter> writer)
    : options_(options),
      generation_(std::move(first)),
      shard_count_(options.shards ? *options.shards : config::shard_count(config())),
      signals_awaited_(options.test ? uring::set_of_signals(kSignals)
                                    : uring::block_signals(kSignals)),
      log_writer_(std::move(writer)),
      last_words_(*log_writer_),
      log_(log_writer_->open("main")),
      descriptors_(shard_count_) {}

Process::~Process() {
  open_gate(Gate::kEnd);
  for (std::thread& thread : threads_) thread.join();
}

std::expected<void, std::string> Process::set_up() {
  if (auto warm = tls::warm_up(); !warm) return std::unexpected(warm.error());
  if (auto listening = listen(); !listening) return listening;
  auto kernel = make_kernel();
  if (!kernel) return std::unexpected(kernel.error());
  kernel_ = std::move(*kernel);
  loop_.emplace(*kernel_);
  signals_.emplace(*loop_, signals_awaited_, static_cast<uring::SignalListener&>(*this));
  if (const int error = signals_->error(); error != 0)
    return std::unexpected(uring::explain_ring_error(error));
  bell_.emplace(*loop_, static_cast<uring::BellOwner&>(*this));
  const int error = bell_->open();
  if (error != 0) return std::unexpected(uring::explain_ring_error(error));
  reports_.emplace(*bell_, shard_count_ * kReportsMax);
  if (auto shards = make_shards(); !shards) return shards;
  return make_threads();
}

std::expected<std::unique_ptr<uring::IoUringKernel>, std::string> Process::make_kernel() const {
  return uring::IoUringKernel::create(
      {.one_shot_receive = options_.receive == ReceiveForm::one_shot});
}

std::expected<void, std::string> Process::listen() {
  listening_.resize(shard_count_);
  for (const config::Listener& listener : config().listeners) {
    auto descriptors = options_.test ? sockets_.reserve(listener, shard_count_)
                                     : sockets_.open(listener, shard_count_);
    if (!descriptors) return std::unexpected(descriptors.error());
    descriptors->resize(shard_count_, -1);
    for (unsigned index = 0; index < shard_count_; ++index) {
      listening_[index].push_back({(*descriptors)[index], listener.address.is_unix()});
    }
  }
  return {};
}

std::expected<void, std::string> Process::make_shards() {
  for (unsigned index = 0; index < shard_count_; ++index) {
    auto kernel = make_kernel();
    if (!kernel) return std::unexpected(kernel.error());
    shard_kernels_.push_back(std::move(*kernel));
    auto shard = Shard::create({.index = index,
                                .count = shard_count_,
                                .listening = listening_[index],
                                .generation = generation_,
                                .tickets = tickets_,
                                .registry = registry_,
                                .descriptors = descriptors_,
                                .log = log_writer_->open("shard=" + std::to_string(index)),
                                .reports = *reports_},
                               *shard_kernels_.back());
    if (!shard) return std::unexpected(shard.error());
    shards_.push_back(std::move(*shard));
  }
  share_unix_sockets();
  return {};
}

std::expected<void, std::string> Process::make_threads() {
  threads_.reserve(shard_count_);
  for (unsigned index = 0; index < shard_count_; ++index) {
    try {
      threads_.emplace_back([this, index] {
        gate_.wait(Gate::kClosed);
        if (gate_ == Gate::kRun) shards_[index]->run(ready_);
      });
    } catch (const std::system_error& failure) {
      const std::string purpose = "shard " + std::to_string(index);
      return std::unexpected(uring::explain_thread_error(failure.code().value(), purpose));
    }
    pin_to_core(threads_.back(), index, shard_count_);
  }
  return {};
}

void Process::open_gate(Gate gate) {
  gate_ = gate;
  gate_.notify_all();
}

void Process::share_unix_sockets() {
  for (std::size_t port = 0; port < config().listeners.size(); ++port) {
    if (!config().listeners[port].address.is_unix()) continue;
    std::vector<HandedOver*> takers;
    for (const auto& shard : shards_) takers.push_back(&shard->handed_over(port));
    shards_.front()->share(port, std::move(takers));
  }
}

// All that the process needs of its own is open by now.
void Process::share_descriptors() {
  std::size_t listeners = 0;
  for (const std::vector<ListeningSocket>& sockets : listening_) {
    listeners += static_cast<std::size_t>(std::ranges::count_if(
        sockets, [](const ListeningSocket& socket) { return socket.descriptor >= 0; }));
  }
  descriptors_.set_capacity(uring::raise_descriptor_limit(), uring::open_descriptors(), listeners);
}

void Process::run() {
  share_descriptors();
  kernel_->enable();
  open_gate(Gate::kRun);
  for (unsigned ready = ready_; ready != shard_count_; ready = ready_) ready_.wait(ready);
  log_start();
  signals_->start();
  bell_->start();
  loop_->run();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  log_traffic();
  log_.info("stopped");
}

void Process::log_start() {
  const std::size_t descriptors = uring::raise_descriptor_limit();
  log_.info("gateway {}, wolfSSL {}, liburing {}", kVersion, kWolfsslVersion, kLiburingVersion);
  for (const std::string& warning : config().warnings) log_.warning("{}", warning);
  if (!kLibrariesLack.empty()) log_.warning("these libraries lack {}", kLibrariesLack);
  log_.info("shards={} receive={} open_files_max={} config={}", shard_count_,
            kernel_->receive_byte_cap() ? "multishot" : "oneshot", descriptors, config().file);
  for (const config::Listener& listener : config().listeners) {
    log_.info("listening on {}://{}", listener.tls ? "https" : "http", listener.address.text());
  }
  for (const config::Route& route : config().routes) {
    const std::string_view to = route.answer ? "(answer)"
                                : route.redirect
                                    ? "(redirect)"
                                    : std::string_view(config().pools[route.pool].name);
    log_.info("route {} path={} pool={}", route.name, route.path, to);
  }
  if (descriptors < 4096) {
    log_.warning(
        "only {} open files are allowed, two for each client: at most {} clients at a time; raise "
        "the limit with 'ulimit -n' or LimitNOFILE=",
        descriptors, descriptors_.clients_max());
  }
  log_.info("ready");
}

// Of all shards, whatever has served anybody.
void Process::log_traffic() {
  for (const Subject subject : {Subject::kListener, Subject::kRoute, Subject::kServer}) {
    std::map<std::string, TrafficTotals> all;
    for (const std::unique_ptr<Shard>& shard : shards_) {
      shard->counters().for_each(subject, [&](const std::string& name, const Traffic& traffic) {
        all[name].add(traffic);
      });
    }
    for (const auto& [name, totals] : all) {
      if (totals.requests + totals.websockets == 0) continue;
      const auto& answered = totals.answered;
      log_.info(
          "served {}={} requests={} 1xx={} 2xx={} 3xx={} 4xx={} 5xx={} unanswered={} "
          "websockets={} from_client_bytes={} to_client_bytes={}",
          name_of(subject), Quoted(name), totals.requests, answered[1], answered[2], answered[3],
          answered[4], answered[5], answered[0], totals.websockets, totals.from_client_bytes,
          totals.to_client_bytes);
    }
  }
}

void Process::signalled(int signal) {
  const std::string name = std::string("SIG") + sigabbrev_np(signal);
  if (signal == SIGHUP || signal == SIGUSR1 || signal == SIGUSR2) {
    return log_.warning("{} is ignored: it means nothing to this gateway", name);
  }
  // Who asks a second time has no more patience.
  const bool at_once = signal == SIGINT || stopping_;
  log_.info("{}: stopping {}", name, at_once ? "at once" : "in order");
  if (!std::exchange(stopping_, true)) {
    sockets_.refuse_new();
    tell_shards(StopOrder{});
  }
  if (at_once && !std::exchange(cut_, true)) tell_shards(CutOrder{});
}

// A shard that refuses has ended.
void Process::tell_shards(const Order& order) {
  for (const std::unique_ptr<Shard>& shard : shards_) (void)shard->orders().post(order);
}

void Process::rung() {
  for (const Report report : reports_->take()) {
    if (report == Report::kDrained) ++drained_;
    if (report == Report::kEnded) ++ended_;
  }
  if (drained_ == shard_count_) sockets_.close_all();
  if (ended_ < shard_count_ || !winding_up_.done()) return;
  winding_up_ = wind_up();
  winding_up_.start();
}

uring::Task<> Process::wind_up() {
  co_await signals_->stop();
  co_await bell_->stop();
  loop_->stop();
}

}  // namespace gateway
