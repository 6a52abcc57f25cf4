// What looks at the live table show, against what is known of the clients: a page has its rows in
// order, none twice, and what each says is true; no more connections are looked at in a turn than
// may be; and a WebSocket that is there all the time is shown, if it is asked for and there is
// room.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "gateway/shard/live_table.hh"
#include "tests/simulation/stage.hh"

namespace simulation {

class LiveJudge {
 public:
  explicit LiveJudge(Stage& stage) : stage_(stage) {}

  // `kick`: its number, if it is one. `goes_on`: behind the last page.
  void begin(std::shared_ptr<const gateway::LiveLook> look, std::optional<unsigned> kick,
             bool in_pages, bool goes_on);
  // Around each turn of a shard.
  void begin_turn(unsigned shard);
  void end_turn(unsigned shard);
  // All shards have reported. Gives the place behind which the next page begins; nothing: there is
  // none.
  std::optional<gateway::LivePlace> end();
  // Of all rows, once the log has told everything.
  void judge_end() const;
  // One that was shown; 1 where none was.
  std::uint64_t some_id(Dice& dice) const;

 private:
  using Request = std::pair<unsigned, unsigned>;  // of a client

  std::vector<Request> open_now() const;
  static std::optional<Request> request_of(const gateway::LiveRow& row);
  void note_kicked(const gateway::LiveRow& row);
  void judge_row(const gateway::LiveRow& row, unsigned shard);
  void judge_place(const gateway::LiveRow& row);
  void judge_client(const gateway::LiveRow& row);
  void judge_request(const gateway::LiveRow& row);
  void judge_opened(const gateway::LiveRow& row, const Request& request, const RequestPlan& plan);
  void judge_page(const gateway::LivePage& page);
  void judge_missing(const std::vector<gateway::LiveRow>& rows, std::size_t matched, bool is_full);
  void judge_walk();
  bool surely_matches(const Request& request) const;
  bool is_from(const ClientPlan& client, const gateway::config::Network& network) const;
  const ClientPlan* client(unsigned number) const;
  template <class... Args>
  void fail(fmt::format_string<Args...> format, Args&&... args) {
    stage_.chronicle.fail("look", format, std::forward<Args>(args)...);
  }

  Stage& stage_;
  std::shared_ptr<const gateway::LiveLook> look_;  // while it is under way
  std::optional<unsigned> kick_;
  Time begun_{};
  bool in_pages_ = false;
  std::vector<std::size_t> looked_at_;  // by shard, before its turn
  std::set<std::uint64_t> seen_;        // ids of rows that are judged
  // Of connections, before the turn or the last one: who has closed is there until the next.
  std::set<std::uint16_t> ports_;
  std::vector<std::set<std::uint16_t>> ports_before_;  // the turn, by shard
  std::vector<Request> open_;                          // before the look
  std::vector<Request> walk_open_;                     // before the first of its pages
  std::set<std::uint64_t> walk_seen_;
  std::set<Request> walk_shown_;
  std::map<std::uint64_t, unsigned> clients_;  // by id, of all rows
};

}  // namespace simulation
