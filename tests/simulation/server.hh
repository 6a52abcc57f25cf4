// One connection of the gateway's to a simulated server. It reads requests, checks that each is
// whole and its client's own, and does with it what the client's plan says.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "tests/simulation/generations.hh"
#include "tests/simulation/message_reader.hh"
#include "tests/simulation/rate_judge.hh"
#include "tests/simulation/stage.hh"
#include "tests/simulation/websocket_end.hh"
#include "tests/simulation/wire.hh"

namespace simulation {

class SimulatedServer {
 public:
  SimulatedServer(Stage& stage, const Site& site, Stream stream, unsigned number);

  // Does what there is to be done now; false if that is nothing.
  bool act();
  // When there will be, if nothing comes; kNever where it waits for the gateway.
  Time next() const;
  bool over() const { return over_; }
  const std::string& name() const { return name_; }
  bool owes() const { return wire_.is_busy(); }

 private:
  enum class Then : std::uint8_t { kGoesOn, kCloses, kResets, kStalls };

  bool reads() const;
  bool has_ended() const { return wire_.ended() && (!heard_end_ || wire_.was_reset()); }
  void digest(std::string_view bytes);
  void take_head();
  void judge_generation();
  void judge_balance(std::span<const GenerationPlan> plans);
  void judge_permission();  // auth_judge.cc
  void judge_marks();       // marks_judge.cc
  void take_body(std::string_view bytes);
  void request_is_whole();
  void answer();
  std::string answer_text() const;
  void do_deed(std::string text);
  void settle();
  void on_end();
  void judge_farewell();
  void leave(bool with_reset);

  // server_check.cc
  bool is_check() const { return reader_.target() == kCheckPath; }
  void judge_check();
  void judge_health();
  void answer_check();

  // server_tunnel.cc
  void judge_upgrade();
  bool may_open_tunnel() const {
    return plan_->tunnel && !plan_->tunnel->declined && reader_.field("upgrade") != nullptr;
  }
  void open_tunnel();
  void talk_in_tunnel();
  void hear_in_tunnel(std::string_view bytes);
  void end_in_tunnel();

  // server_websocket.cc
  void open_websocket();
  void talk();
  void die();
  std::size_t bytes_at_once() const;
  void judge_rates();

  StreamName stream_of(Way way) const { return {client_, request_, way}; }

  Stage& stage_;
  const Site& site_;
  PoolKind pool_;
  Dice dice_;
  std::string name_;
  Time accepted_at_ = stage_.now();
  Wire wire_;
  MessageReader reader_{MessageReader::Of::kRequests};
  const RequestPlan* plan_ = nullptr;  // of the request under way
  unsigned client_ = 0;
  unsigned request_ = 0;
  std::size_t body_bytes_ = 0;
  bool request_whole_ = false;
  bool answered_ = false;
  bool leaving_ = false;    // with a word that is under way
  bool heard_end_ = false;  // of a client that may still listen
  Then then_ = Then::kGoesOn;
  std::optional<Time> answers_at_;
  std::optional<Time> closes_at_;
  std::optional<WebSocketEnd> websocket_;
  std::optional<TunnelEnd> tunnel_;
  std::optional<RateJudge> rates_;
  std::uint64_t rates_seen_in_ = 0;   // generation
  std::optional<Time> may_close_at_;  // its WebSocket, or say the last message
  std::optional<Time> dead_until_;
  bool over_ = false;
};

}  // namespace simulation
