// A simulated client: it comes, asks what its plan says, reads the answers, checks each byte of
// them, and leaves. What it may have got is judged when its connection has ended (client_judge.cc).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/message_reader.hh"
#include "tests/simulation/stage.hh"
#include "tests/simulation/websocket_end.hh"
#include "tests/simulation/websocket_facts.hh"
#include "tests/simulation/wire.hh"

namespace simulation {

// Where clients come in.
class Gate {
 public:
  virtual ~Gate() = default;
  // Null: nobody is let in any more.
  virtual Stream come(const ClientPlan& plan) = 0;
  // Of who comes now, over TLS.
  virtual Trust trust() const = 0;
};

class SimulatedClient {
 public:
  SimulatedClient(Stage& stage, Gate& gate, const ClientPlan& plan);

  // As of a SimulatedServer.
  bool act();
  Time next() const;
  bool over() const { return (over_ || is_in_reserve()) && !lingers_until_; }
  bool is_in_reserve() const { return comes_at_ == kNever; }
  void call() { comes_at_ = stage_.now(); }
  const std::string& name() const { return name_; }
  // When all is over and told: whether the log fits what was seen.
  void judge_log() const;
  // Something is under way to it or from it.
  bool owes() const { return wire_ && wire_->is_busy(); }
  // Whether it waits for something to happen, and has done so for long.
  bool has_waited(milliseconds most) const {
    return !over_ && wire_ && !dead_until_ && stage_.now() >= touched_ + most;
  }

 private:
  enum class Got : std::uint8_t { kNothing, kPart, kWhole };
  struct Answer {
    Got got = Got::kNothing;
    unsigned status = 0;
    bool is_own = false;    // of the server, for this request
    bool by_guard = false;  // of the one that was asked whether it may pass
    bool says_close = false;
    std::size_t body_bytes = 0;
  };

  bool come();
  void ask_more();
  std::string request_text(unsigned number) const;
  void digest(std::string_view bytes);
  void take_head();
  void take_body(std::string_view bytes);
  void answer_is_whole();
  void open_websocket();
  DeflateTerms read_compression(Deflating deflating, const PolicyPlan& policy);
  void talk();
  void die();
  bool leave_if_due();
  bool is_through() const;
  // And nothing may be said any more.
  bool has_ended() const {
    const bool goes_on = tunnel_ && tunnel_->has_heard_end() && !wire_->was_reset();
    return wire_->ended() && !goes_on;
  }
  bool dawdles();
  void on_end();
  void finish(std::string_view how);

  struct Facts;

  // client_judge.cc
  void judge(bool left) const;
  void judge_answer(unsigned number, bool excused) const;
  void judge_generation(unsigned number) const;

  // client_balance_judge.cc
  // Before it is sent.
  void choose_cookie(unsigned number);
  std::string cookies_for(unsigned number) const;
  void judge_stickiness(unsigned number);

  bool is_spoilt() const;
  bool may_be_turned_away() const;
  bool may_have_lost_handshake() const;
  bool may_be_redirected(unsigned number) const;
  bool may_be_refused(unsigned number, unsigned status) const;
  bool may_be_kicked() const;
  bool may_be_cut(const RequestPlan& plan) const;
  bool is_overrun_behind(unsigned number) const;
  bool may_close_behind(unsigned number) const;
  void judge_farewell() const;

  // auth_judge.cc
  void note_guard();
  bool may_be_guarded(unsigned number) const;
  bool may_fail_at_guard(unsigned number, unsigned status) const;
  void judge_denial(unsigned number) const;
  void judge_denial_line(const Facts& facts, const LogLine& line) const;

  // client_tunnel.cc
  std::size_t early_bytes(unsigned number) const;
  std::string upgrade_text(unsigned number) const;
  void open_tunnel();
  void talk_in_tunnel();
  void hear_in_tunnel(std::string_view bytes);
  bool end_in_tunnel();
  bool may_lose_tunnel(const RequestPlan& plan) const;
  bool may_be_reset(const RequestPlan& plan) const;
  void judge_tunnel() const;
  void judge_tunnel_line(const Facts& facts, const LogLine& line) const;

  // client_log_judge.cc
  Facts facts_of(unsigned number) const;
  bool was_refused_in_head(unsigned number) const;
  bool is_cut_unseen(std::string_view upstream) const;
  void judge_line(unsigned number, const LogLine& line) const;

  // websocket_judge.cc
  WebSocketFacts websocket_facts(unsigned number) const;
  void judge_websocket() const;
  void judge_told(const Facts& facts, const LogLine& line) const;
  void judge_times(const Facts& facts, const LogLine& line) const;
  bool may_be_held_up(const Facts& facts) const;

  // kick_judge.cc
  bool is_told_by_kick(const std::string& told) const;
  void judge_kick(const Facts& facts, const LogLine& line) const;

  const RequestPlan& current() const { return plan_.requests[answers_.size() - 1]; }
  bool expects_answer() const { return answers_.size() < plan_.requests.size() + 1; }
  StreamName stream_of(unsigned request, Way way) const { return {plan_.number, request, way}; }
  unsigned answering() const { return static_cast<unsigned>(answers_.size() - 1); }

  Stage& stage_;
  Gate& gate_;
  const ClientPlan& plan_;
  Dice dice_;
  std::string name_;
  Time comes_at_;
  std::optional<Wire> wire_;
  MessageReader reader_{MessageReader::Of::kResponses};
  std::vector<Answer> answers_;  // the last one is under way
  unsigned asked_ = 0;
  std::map<PoolKind, std::string> tokens_;  // that it has been given
  std::map<unsigned, std::string> shown_;   // with which request
  bool half_closed_ = false;
  bool left_ = false;     // before the end
  bool closing_ = false;  // the gateway has said that it closes, or all is there
  std::optional<WebSocketEnd> websocket_;
  std::optional<TunnelEnd> tunnel_;
  Time touched_{};
  Time may_ask_at_{};                 // the next one, unless it pipelines
  std::optional<Time> may_close_at_;  // its WebSocket, or say the last message
  std::size_t read_bytes_ = 0;
  std::optional<Time> dawdles_until_;
  std::optional<Time> lingers_until_;
  std::optional<Time> dead_until_;
  bool over_ = false;
};

}  // namespace simulation
