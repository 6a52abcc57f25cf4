#include "tests/simulation/log_reader.hh"

#include <cstdio>

namespace simulation {
namespace {

// The value of `key=` in a line, without its quotation marks.
std::string_view value_of(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + key.size());
  if (!line.starts_with('"')) return line.substr(0, line.find(' '));
  line.remove_prefix(1);
  return line.substr(0, line.find('"'));
}

}  // namespace

void LogReader::drain(gateway::LogRing& ring) {
  ring.drain([&](const gateway::LogRing::Record& record) {
    stage_.chronicle.note(ring.source(), "{}", record.text);
    read(record.text);
  });
  if (ring.dropped() > 0) stage_.chronicle.fail(ring.source(), "the log was read too late");
}

void LogReader::read(std::string_view line) {
  const bool tells = line.starts_with("request ") || line.starts_with("websocket ");
  if (!tells) return;
  const std::string_view asked = value_of(line, " request=");
  unsigned client = 0;
  unsigned request = 0;
  const std::string text(asked.substr(std::min(asked.find('/'), asked.size())));
  if (std::sscanf(text.c_str(), "/%u/%u", &client, &request) != 2) return;  // NOLINT
  Trail& trail = stage_.trail(client, request);
  ++trail.log_lines;
  trail.logged_end = value_of(line, " end=");
  trail.logged_by = value_of(line, " by=");
  trail.logged_status = value_of(line, " status=");
}

}  // namespace simulation
