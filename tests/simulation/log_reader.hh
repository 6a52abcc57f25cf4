// The gateway's log, as its operator reads it. Here its lines are put in order: whose each is, and
// that each connection tells of its requests one after the other. What a line says of a request is
// compared with what the request's two ends have seen when all is over (client_log_judge.cc).
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/log/ring.hh"
#include "tests/simulation/stage.hh"

namespace simulation {

// The value of `key=` in a line, without its quotation marks.
std::string_view value_of(std::string_view line, std::string_view key);

class LogReader {
 public:
  explicit LogReader(Stage& stage) : stage_(stage) {}

  void drain(gateway::LogRing& ring);

 private:
  void read(std::string_view line);
  void judge_json(const gateway::LogRing::Record& record, const std::string& source);
  void judge_span(const gateway::LogRing::Record& record, std::string_view line);
  void judge_trace(const Trail& trail, std::string_view line);
  void judge_id(const Trail& trail, std::string_view line);
  void read_rebalance(std::string_view line);
  void read_remark(std::string_view line);
  void read_connection(std::string_view line, LoggedConnection& connection);
  void read_request(std::string_view line, LoggedConnection& connection);
  void read_target(std::string_view target, std::string_view line, LoggedConnection& connection);
  void belongs_to(unsigned client, std::string_view line, LoggedConnection& connection);

  Stage& stage_;
};

}  // namespace simulation
