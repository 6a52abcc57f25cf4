// `gateway servers`, as the gateway that runs carries it out and answers it: checked as the
// configuration's servers are, names looked up, written to the file of the state, and then given to
// the shards, all or nothing. One at a time; who comes meanwhile waits in turn.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/config/generation.hh"
#include "gateway/config/servers_command.hh"
#include "gateway/log/log.hh"
#include "gateway/names/resolver.hh"
#include "gateway/process/control.hh"
#include "gateway/process/server_lists.hh"
#include "uring/loop.hh"

namespace gateway {

class ServersService {
 public:
  // For the names of one command, so many of which are looked up at once: those of the pools that
  // serve have the same resolver.
  static constexpr std::chrono::seconds kNamesTime{60};
  static constexpr std::size_t kNamesAtOnce = 4;

  // What it acts on; outlives it. `serving` is the newest generation.
  struct Parts {
    uring::Loop& loop;
    const config::SharedGeneration& serving;
    ServerLists& lists;
    names::NameBook::Ask ask;
    Log log;
  };

  explicit ServersService(const Parts& parts) : parts_(parts), timer_(*this, parts.loop.timers()) {}
  ServersService(const ServersService&) = delete;
  ServersService& operator=(const ServersService&) = delete;

  // What the file of the state has at the start.
  void begin_with(std::string saved) { saved_ = std::move(saved); }
  // `line`: see config::is_servers_command().
  void obey(std::string_view line, Control::Reply reply);
  // Something that was told was forgotten, or may have been: the file of the state is to agree.
  void save();
  // Whoever waits is told so, and so is whoever comes, until permit(). What is ordered goes on, or
  // where the lists refuse it later is told what is in the file of the state.
  void refuse(const std::string& why);
  void permit() { refusal_.clear(); }

 private:
  struct Task {
    config::ServersCommand command;
    Control::Reply reply;
    std::size_t next = 0;  // of the entries: those before it need no more looking up, or have begun
    std::size_t unknown = 0;  // names that are to be looked up, or are being
    std::string fault;
    bool is_ordered = false;  // the lists have it, and answer it
  };

  void begin();
  void look_up_next(const std::shared_ptr<Task>& task);
  void look_up(const std::shared_ptr<Task>& task, std::size_t index);
  void on_late();
  void carry_out(const std::shared_ptr<Task>& task);
  std::expected<std::vector<config::ServerEntry>, std::string> wanted(
      const config::ServersCommand& command) const;
  std::expected<const config::Pool*, std::string> pool_of(const std::string& name) const;
  std::expected<void, std::string> keep(const std::string& pool,
                                        const std::vector<config::ServerEntry>* entries);
  void end_unfinished(const std::shared_ptr<Task>& task);
  void end(Task& task, bool done, const std::string& text);

  Parts parts_;
  std::deque<std::shared_ptr<Task>> tasks_;             // the first one is under way
  uring::TimerMember<&ServersService::on_late> timer_;  // of the first one's names
  std::string saved_;  // what the file has, as far as it was written
  std::string refusal_;
};

}  // namespace gateway
