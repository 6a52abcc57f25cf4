// One connection of the gateway's to the server that is asked whether requests may pass. It checks
// that it is asked about what a client has asked for, without a byte of a body, and answers as the
// run's plan has it. What it grants it notes: no server may get a request before.
#pragma once

#include <optional>
#include <string>

#include "tests/simulation/auth_plan.hh"
#include "tests/simulation/message_reader.hh"
#include "tests/simulation/stage.hh"
#include "tests/simulation/wire.hh"

namespace simulation {

class SimulatedAuthServer {
 public:
  SimulatedAuthServer(Stage& stage, Stream stream, unsigned number);

  // As of a SimulatedServer.
  bool act();
  Time next() const;
  bool over() const { return over_; }
  const std::string& name() const { return name_; }
  bool owes() const { return wire_.is_busy(); }

 private:
  void digest(std::string_view bytes);
  void take_question();
  void answer();
  std::string answer_text(const AuthPlan& plan);
  void settle();
  void leave(bool with_reset);

  Stage& stage_;
  Dice dice_;
  std::string name_;
  Wire wire_;
  MessageReader reader_{MessageReader::Of::kRequests};
  unsigned client_ = 0;
  unsigned request_ = 0;
  std::optional<AuthPlan> plan_;  // of the question under way
  bool answered_ = false;
  bool stalls_ = false;
  std::optional<Time> answers_at_;
  std::optional<Time> closes_at_;
  bool over_ = false;
};

}  // namespace simulation
