// The shards of the process, each with its kernel and its thread, and the mailbox of their reports.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/log/writer.hh"
#include "gateway/options.hh"
#include "gateway/process/listening.hh"
#include "gateway/shard/shard.hh"
#include "uring/io_uring_kernel.hh"

namespace gateway {

class Shards {
 public:
  // What all of them have in common; outlives them.
  struct Common {
    tls::TicketKeys& tickets;
    Registry& registry;
    PasswordWorkers& passwords;
    DescriptorBudget& descriptors;
    limits::ClientLimits& limits;
    AcceptBalance& balance;
    uring::MemoryAccount& memory;
    std::size_t memory_usual_bytes;
    LogWriter& log;
    uring::Mailbox<Report>& reports;
    const ListeningSockets& sockets;
  };

  // Their rings, their memory, and threads that wait. The error says what is missing, and its cure.
  static std::expected<std::unique_ptr<Shards>, std::string> create(unsigned count,
                                                                    ReceiveForm receive,
                                                                    const Common& common);
  ~Shards();  // whether they have run or not
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  // The first generation, and the servers of pools that have others than it says. Until all of them
  // serve it.
  void run(const config::SharedGeneration& first, const std::vector<PoolServers>& servers);
  // A later one; where `earlier` does not listen they do from here on. Each reports kAdopted.
  void adopt(const config::SharedGeneration& newer, const config::Config& earlier,
             const std::vector<PoolServers>& servers, const std::optional<PacedPlan>& orphans);
  // A shard that refuses has ended.
  void tell(const Order& order);
  // Whether they live: each that takes the question adds one to `answers`, which outlives them.
  // Gives how many will.
  unsigned ask(std::atomic<unsigned>& answers);
  // Each that takes it reports kLooked. Gives how many will.
  unsigned look(const LookOrder& order);
  // Processor time that each has had; nothing once one of them has ended.
  std::vector<double> busy_seconds() const;
  // After the last report.
  void join();

  unsigned count() const { return static_cast<unsigned>(shards_.size()); }
  template <class Visit>
  void for_each(Visit visit) const {
    for (const std::unique_ptr<Shard>& shard : shards_) visit(std::as_const(*shard));
  }

 private:
  // Where each shard's thread waits until it is known whether there is something to do.
  enum class Gate : std::uint8_t { kClosed, kRun, kEnd };

  explicit Shards(const Common& common) : common_(common) {}
  std::expected<void, std::string> make_shards(unsigned count, ReceiveForm receive);
  std::expected<void, std::string> make_threads();
  void open_gate(Gate gate);
  std::vector<AdoptOrder> orders_for(const config::SharedGeneration& generation,
                                     const config::Config* earlier);

  Common common_;
  std::vector<std::unique_ptr<uring::IoUringKernel>> kernels_;
  std::vector<std::unique_ptr<Shard>> shards_;
  mutable std::vector<std::thread> threads_;  // whose handles are asked for
  std::atomic<Gate> gate_{Gate::kClosed};
  std::atomic<unsigned> ready_{0};
};

// One for the main thread, or for a shard.
std::expected<std::unique_ptr<uring::IoUringKernel>, std::string> make_kernel(ReceiveForm receive);

}  // namespace gateway
