// A newer configuration, taken over while the process serves. It is loaded beside the shards, as a
// start loads it; what is wrong with it is told, and then all stays as it was. Else it is compared
// with the one that serves: where nothing has changed in meaning nothing happens; where something
// has, its new addresses are opened, the shards adopt it, and the addresses that it does not have
// any more are closed when nobody is left in their queues.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config/difference.hh"
#include "gateway/config/generation.hh"
#include "gateway/process/listening.hh"
#include "gateway/process/loader.hh"
#include "gateway/process/orphans_closing.hh"
#include "gateway/process/server_lists.hh"
#include "gateway/process/service_manager.hh"
#include "gateway/process/shards.hh"
#include "uring/task.hh"

namespace gateway {

class Reload {
 public:
  // What it acts on; outlives it. `serving` is the generation that serves, and is replaced.
  struct Parts {
    config::SharedGeneration& serving;
    ListeningSockets& sockets;
    Shards& shards;
    DescriptorBudget& descriptors;
    LogWriter& log_writer;
    Log& log;
    ServiceManager& manager;
    OrphansClosing& orphans;
    ServerLists& lists;
    // Says why the process cannot serve by it.
    std::function<std::expected<void, std::string>(const config::Config&)> check;
    // Hears of each configuration that was read, good or bad, before it is taken over; may be
    // empty.
    std::function<void(const Loader::Loaded&)> on_loaded;
    // Another generation serves from here on; may be empty.
    std::function<void()> on_serving = {};
  };
  // How a reload went, for whoever has asked for it: the lines that the log has of it.
  struct Result {
    bool done = false;  // the file's configuration serves, if it did not before
    std::vector<std::string> lines;
  };
  using Answer = std::function<void(const Result&)>;
  struct Counts {
    std::uint64_t applied = 0;
    std::uint64_t unchanged = 0;
    std::uint64_t failed = 0;
  };

  Reload(const Parts& parts, Loader::Read read, uring::Loop& loop, uring::Bell& bell);
  ~Reload();

  // On the main thread, whose bell rings at its end. While one is under way, the next one begins
  // when that has ended, for all who ask meanwhile: the files may have changed since they were
  // read. `answer` may be empty.
  void request(Answer answer = {});
  // What is not adopted yet is not any more, and whoever asks is refused, with the reason.
  void refuse(std::string why) { refusal_ = std::move(why); }
  // Nobody is, again.
  void permit() { refusal_.clear(); }

  // When the main thread's bell has rung.
  void look();
  // A shard has reported kAdopted.
  void note_adopted(const Report& report);

  bool loads() const { return loader_.loads(); }
  bool is_under_way() const { return !story_.done(); }
  // The files are being read, or will be.
  bool is_to_read() const { return wanted_ || loads(); }
  const Counts& counts() const { return counts_; }

 private:
  uring::Task<> story();
  uring::Task<> load_and_adopt();
  bool prepare(config::Config config);
  void apply_log_settings(const config::LogSettings& before);
  void tell_what_changed();
  void fail(const config::Errors& errors);
  void fail(std::string why);
  void say(LogLevel level, std::string line);
  void answer_all();

  Parts parts_;
  uring::Bell& bell_;
  Loader loader_;
  Counts counts_;
  std::vector<Answer> waiting_;   // for the next one
  std::vector<Answer> answered_;  // by the one that is under way
  std::optional<Loader::Loaded> loaded_;
  uring::Event loaded_or_adopted_;
  config::Difference difference_;
  Result result_;
  UnderWay kept_;
  std::size_t orphans_ = 0;  // of these, that are closed
  unsigned adopted_ = 0;     // shards that have
  uring::Task<> story_;
  bool wanted_ = false;
  std::string refusal_;  // empty: there is none
};

}  // namespace gateway
