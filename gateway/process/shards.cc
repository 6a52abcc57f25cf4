#include "gateway/process/shards.hh"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <system_error>
#include <utility>

#include "uring/capabilities.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

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

bool listens_at(const config::Config& config, const config::Address& address) {
  return std::ranges::find(config.listeners, address, &config::Listener::address) !=
         config.listeners.end();
}

}  // namespace

std::expected<std::unique_ptr<uring::IoUringKernel>, std::string> make_kernel(ReceiveForm receive) {
  return uring::IoUringKernel::create({.one_shot_receive = receive == ReceiveForm::one_shot});
}

std::expected<std::unique_ptr<Shards>, std::string> Shards::create(unsigned count,
                                                                   ReceiveForm receive,
                                                                   const Common& common) {
  std::unique_ptr<Shards> shards(new Shards(common));
  if (auto made = shards->make_shards(count, receive); !made)
    return std::unexpected(std::move(made.error()));
  if (auto made = shards->make_threads(); !made) return std::unexpected(std::move(made.error()));
  return shards;
}

Shards::~Shards() {
  open_gate(Gate::kEnd);
  join();
}

std::expected<void, std::string> Shards::make_shards(unsigned count, ReceiveForm receive) {
  for (unsigned index = 0; index < count; ++index) {
    auto kernel = make_kernel(receive);
    if (!kernel) return std::unexpected(kernel.error());
    kernels_.push_back(std::move(*kernel));
    auto shard = Shard::create({.index = index,
                                .count = count,
                                .tickets = common_.tickets,
                                .registry = common_.registry,
                                .descriptors = common_.descriptors,
                                .limits = common_.limits,
                                .balance = common_.balance,
                                .memory = common_.memory,
                                .memory_usual_bytes = common_.memory_usual_bytes,
                                .log = common_.log.open("shard=" + std::to_string(index)),
                                .reports = common_.reports,
                                .passwords = &common_.passwords},
                               *kernels_.back());
    if (!shard) return std::unexpected(shard.error());
    shards_.push_back(std::move(*shard));
  }
  return {};
}

std::expected<void, std::string> Shards::make_threads() {
  threads_.reserve(count());
  for (unsigned index = 0; index < count(); ++index) {
    try {
      threads_.emplace_back([this, index] {
        gate_.wait(Gate::kClosed);
        if (gate_ != Gate::kRun) return;
        // It has them still where the process was no root's to begin with.
        if (geteuid() != 0) (void)uring::give_up_capabilities();
        shards_[index]->run(ready_);
      });
    } catch (const std::system_error& failure) {
      const std::string purpose = "shard " + std::to_string(index);
      return std::unexpected(uring::explain_thread_error(failure.code().value(), purpose));
    }
    pin_to_core(threads_.back(), index, count());
  }
  return {};
}

void Shards::open_gate(Gate gate) {
  gate_ = gate;
  gate_.notify_all();
}

void Shards::run(const config::SharedGeneration& first, const std::vector<PoolServers>& servers) {
  std::vector<AdoptOrder> orders = orders_for(first, nullptr);
  for (unsigned index = 0; index < count(); ++index) {
    orders[index].servers = servers;
    shards_[index]->begin_with(std::move(orders[index]));
  }
  open_gate(Gate::kRun);
  for (unsigned ready = ready_; ready != count(); ready = ready_) ready_.wait(ready);
}

void Shards::adopt(const config::SharedGeneration& newer, const config::Config& earlier,
                   const std::vector<PoolServers>& servers,
                   const std::optional<PacedPlan>& orphans) {
  std::vector<AdoptOrder> orders = orders_for(newer, &earlier);
  for (unsigned index = 0; index < count(); ++index) {
    orders[index].servers = servers;
    orders[index].orphans = orphans;
    (void)shards_[index]->orders().post(std::move(orders[index]));
  }
}

// One for each shard. Where there are fewer sockets than shards, as of a Unix socket, those who
// accept hand over to all in turn, beginning with themselves; else to whom it goes by the balance.
// Where there are more, some accept at several.
std::vector<AdoptOrder> Shards::orders_for(const config::SharedGeneration& generation,
                                           const config::Config* earlier) {
  std::vector<AdoptOrder> orders(count(), AdoptOrder{generation, {}});
  for (const config::Listener& listener : generation->config.listeners) {
    if (earlier != nullptr && listens_at(*earlier, listener.address)) continue;
    const std::span<const int> descriptors = common_.sockets.descriptors(listener.address);
    const bool by_turns = listener.address.is_unix() || descriptors.size() < count();
    std::vector<Taker> takers;
    for (unsigned index = 0; index < count(); ++index) {
      ListeningSocket socket{.address = listener.address};
      if (index < descriptors.size()) socket.descriptor = descriptors[index];
      socket.handed_over = shards_[index]->make_handed_over();
      socket.by_turns = by_turns;
      takers.push_back({index, socket.handed_over});
      orders[index].added.push_back(std::move(socket));
    }
    for (unsigned index = 0; index < std::min<std::size_t>(descriptors.size(), count()); ++index) {
      orders[index].added.back().takers = takers;
      std::ranges::rotate(takers, takers.begin() + 1);
    }
    for (std::size_t index = count(); index < descriptors.size(); ++index) {
      orders[index % count()].added.push_back(
          {.address = listener.address, .descriptor = descriptors[index]});
    }
  }
  return orders;
}

void Shards::tell(const Order& order) {
  for (const std::unique_ptr<Shard>& shard : shards_) (void)shard->orders().post(order);
}

unsigned Shards::ask(std::atomic<unsigned>& answers) {
  unsigned asked = 0;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    if (shard->orders().post(AnswerOrder{&answers})) ++asked;
  }
  return asked;
}

unsigned Shards::look(const LookOrder& order) {
  unsigned asked = 0;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    if (shard->orders().post(order)) ++asked;
  }
  return asked;
}

std::vector<double> Shards::busy_seconds() const {
  std::vector<double> all;
  for (std::thread& thread : threads_) {
    clockid_t clock{};
    timespec time{};
    if (pthread_getcpuclockid(thread.native_handle(), &clock) != 0) return {};
    if (clock_gettime(clock, &time) != 0) return {};
    all.push_back(static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9);
  }
  return all;
}

void Shards::join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace gateway
