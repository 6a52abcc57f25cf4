// The servers that each pool has now: those of the configuration's entries, or of others that the
// gateway was told at its control socket, with what their names stand for by now. On the main
// thread, which gives shards another list where one has changed: one order at a time, whatever
// changes meanwhile goes with the next. A list never is empty.
//
//   file's entries --.
//                     >-- entries --[names]--> list --[changed]--> ServersOrder --> all report
//   told entries  ---'    (told go first)
//
// What was told goes on in a newer generation whose file has the same entries; where the file has
// others, these serve, and what was told is forgotten.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config/server_entry.hh"
#include "gateway/config/told_servers.hh"
#include "gateway/log/log.hh"
#include "gateway/names/name_book.hh"
#include "gateway/shard/orders.hh"
#include "gateway/upstream/registry.hh"

namespace gateway {

class ServerLists {
 public:
  // Of a pool, servers that it does not have any more, whose requests and WebSockets go on: so many
  // are remembered.
  static constexpr std::size_t kGoneMax = 1024;

  // From where a server is: the configuration, the control socket, or a name.
  enum class Origin : std::uint8_t { kFile, kControl, kDns };

  struct Change {
    std::size_t added = 0;
    std::size_t removed = 0;
    std::size_t servers = 0;
    std::size_t closing = 0;  // WebSockets
  };
  // Once all shards have the list; nothing: the gateway stops.
  using Done = std::function<void(std::optional<Change> change)>;

  // What it acts on; outlives it.
  struct Parts {
    uring::Loop& loop;
    Log log;
    unsigned shards;
    Registry& registry;
    names::NameBook::Ask ask;
    std::function<void(const Order&)> tell;  // all shards
    std::function<std::optional<PacedPlan>()> orphans;
    // So many WebSockets are closed, since all shards have taken lists without their servers.
    std::function<void(std::size_t closing)> on_orphans;
    // A pool gets servers that it did not have, and has `now`: shards do not know them yet.
    std::function<void(const std::string& pool, const std::vector<std::string>& servers,
                       const std::vector<config::Server>& now)>
        on_come = [](const auto&, const auto&, const auto&) {};
    // Something that was told was forgotten for a newer generation's sake.
    std::function<void()> on_forgotten;
  };

  explicit ServerLists(const Parts& parts);
  ~ServerLists();
  ServerLists(const ServerLists&) = delete;
  ServerLists& operator=(const ServerLists&) = delete;

  // Before the shards run, what they begin with beside the configuration. `told`: whose names have
  // been looked up; of pools whose entries were others then, or that cannot have these, it is
  // forgotten, with a line of the log.
  std::vector<PoolServers> begin(const config::Config& first, const config::ToldServers& told);
  // From here on names are looked up, and shards told.
  void start();
  // A newer generation is about to be adopted: what its pools have, beside the configuration.
  std::vector<PoolServers> adopt(const config::Config& newer);
  // The configuration was read again, and is the same: names may not be.
  void look_again() { names_.look_again(); }

  // The pool has these servers, whose names have been looked up, or those of the file again.
  // Precondition: there is the pool.
  void set(const std::string& pool, std::vector<config::ServerEntry> entries, Done done);
  void reset(const std::string& pool, Done done);
  // A report of the kind kServersTaken.
  void reported(const Report& report);
  // The process stops: whoever waits is told, and nothing changes any more.
  void refuse();

  bool has(const std::string& pool) const { return pools_.contains(pool); }
  // What a name stands for by now; null: no pool needs it.
  const config::Found* find_name(const config::Question& question) const {
    return names_.find(question);
  }
  // Null: there is no such pool.
  const std::vector<config::ServerEntry>* entries_of(const std::string& pool) const;
  // Precondition: there is the pool.
  const std::vector<config::Server>& servers_of(const std::string& pool) const;
  Origin origin_of(const std::string& pool, const std::string& server) const;
  // Servers that it has no more, and that have something left: calls visit(text, state).
  template <class Visit>
  void for_each_gone(const std::string& pool, Visit visit) const {
    for (const Gone& gone : pools_.at(pool).gone) {
      const auto state = gone.state.lock();
      if (state != nullptr && state->count() > 0) visit(gone.text, *state);
    }
  }
  // All that was told, for the file of the state.
  config::ToldServers told() const;

 private:
  struct Gone {
    std::string text;
    std::weak_ptr<ServerState> state;
  };
  struct Pool {
    std::vector<config::ServerEntry> file;
    std::optional<std::vector<config::ServerEntry>> told;
    config::ServerList list;
    std::map<std::string, Origin> origins;
    std::vector<Gone> gone;
    bool is_to_be_told = false;  // shards have another list

    const std::vector<config::ServerEntry>& entries() const { return told ? *told : file; }
  };
  struct Waiting {
    Change change;
    Done done;
  };

  bool take_entries(const config::Config& config, const config::ToldServers& told);
  std::vector<PoolServers> take_lists(const config::Config& config);
  std::vector<config::Server> servers_from(const Pool& pool,
                                           std::map<std::string, Origin>& origins) const;
  void keep_names();
  void on_name_changed();
  std::optional<Change> update(const std::string& name, Pool& pool);
  void note_gone(const std::string& name, Pool& pool, const std::vector<config::Server>& list);
  void finish_change(const std::string& pool, Done done);
  void tell_shards();

  Parts parts_;
  names::NameBook names_;
  config::ResolverSettings resolver_;
  std::map<std::string, Pool> pools_;
  std::vector<Waiting> waiting_;   // for the next order
  std::vector<Waiting> answered_;  // by the order that is with the shards
  unsigned reports_ = 0;
  std::size_t closing_ = 0;
  bool started_ = false;
  bool is_telling_ = false;
  bool refused_ = false;
};

}  // namespace gateway
