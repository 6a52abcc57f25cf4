#include "tests/simulation/log_reader.hh"

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/log/render.hh"
#include "proto/jwt/json.hh"
#include "tests/simulation/health_watch.hh"

namespace simulation {
namespace {

constexpr std::string_view kWho = "log";

// All ones where there is none.
std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : ~std::uint64_t{0};
}

// What it tells of is the last thing on its connection.
bool ends_connection(std::string_view line) {
  return line.starts_with("websocket ") || line.starts_with("tunnel ");
}

// How a head that is not whole may have ended.
bool cuts_head(std::string_view end) {
  constexpr std::array<std::string_view, 7> kEnds = {
      "client-left",     "client-reset", "client-truncated", "tls-failed", "stopping",
      "request-timeout", "kicked"};
  return std::ranges::find(kEnds, end) != kEnds.end();
}

}  // namespace

std::string_view value_of(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + key.size());
  if (!line.starts_with('"')) return line.substr(0, line.find(' '));
  line.remove_prefix(1);
  return line.substr(0, line.find('"'));
}

void LogReader::drain(gateway::LogRing& ring) {
  ring.drain([&](const gateway::LogRing::Record& record) {
    const std::string line = gateway::text_of(record);
    stage_.chronicle.note(ring.source(), "{}", line);
    judge_span(record, line);
    if (record.kind == gateway::RecordKind::span) return;
    read(line);
    judge_json(record, ring.source());
  });
  if (ring.dropped() > 0) stage_.chronicle.fail(ring.source(), "the log was read too late");
}

// Whatever a line says, it can be said in JSON.
void LogReader::judge_json(const gateway::LogRing::Record& record, const std::string& source) {
  std::string json;
  gateway::append_json(json, {record, source});
  if (!jwt::Json::parse(json)) stage_.chronicle.fail(kWho, "is no JSON: {}", json);
}

// The line has the id that a server got.
void LogReader::judge_id(const Trail& trail, std::string_view line) {
  const std::string_view id = value_of(line, " request_id=");
  if (!trail.id.empty() && id != trail.id)
    stage_.chronicle.fail(kWho, "has another id than {}: {}", trail.id, line);
}

void LogReader::read(std::string_view line) {
  const bool of_request = line.starts_with("request ") || ends_connection(line);
  if (line.starts_with("server ")) return stage_.health->note_line(line);
  if (line.starts_with("rebalance ")) return read_rebalance(line);
  if (!of_request && !line.starts_with("connection ")) return;
  const std::string_view id = value_of(line, " id=");
  if (id.ends_with(':')) return read_remark(line);
  if (value_of(line, " end=") == "kicked" && !stage_.kicks.may_have(number_in(id))) {
    stage_.chronicle.fail(kWho, "tells of one who was kicked by nobody: {}", line);
  }
  LoggedConnection& connection = stage_.logged[number_in(id)];
  if (connection.over) {
    stage_.chronicle.fail(kWho, "tells more of a connection that is over: {}", line);
  }
  const std::string_view address = value_of(line, " client=");
  const std::uint64_t port = number_in(address.substr(address.find(':') + 1));
  if (port >= kFirstPort && port <= 65'535) {
    belongs_to(static_cast<unsigned>(port - kFirstPort), line, connection);
  }
  of_request ? read_request(line, connection) : read_connection(line, connection);
}

void LogReader::read_rebalance(std::string_view line) {
  auto& all = stage_.rebalances.all;
  if (!line.contains(" done, ")) {
    all.push_back({.begun = stage_.now(), .surplus = number_in(value_of(line, " surplus="))});
    return;
  }
  std::string_view asked = value_of(line, " asked=");
  asked.remove_suffix(1);  // a colon
  if (all.empty() || all.back().done || asked.empty()) {
    return stage_.chronicle.fail(kWho, "tells of the end of nothing: {}", line);
  }
  all.back().done = true;
  all.back().asked = number_in(asked);
}

// In the middle of a connection, of which it is no account.
void LogReader::read_remark(std::string_view line) {
  const bool of_memory = line.find("[limits] compression_memory") != std::string_view::npos;
  if (!of_memory || !stage_.scenario.scarce_memory) {
    stage_.chronicle.fail(kWho, "complains for no reason: {}", line);
  }
}

void LogReader::read_connection(std::string_view line, LoggedConnection& connection) {
  connection.over = true;
  if (number_in(value_of(line, " requests=")) != connection.requests) {
    stage_.chronicle.fail(kWho, "has told of {} requests: {}", connection.requests, line);
  }
}

void LogReader::read_request(std::string_view line, LoggedConnection& connection) {
  if (number_in(value_of(line, " n=")) != ++connection.requests) {
    stage_.chronicle.fail(kWho, "tells of it as the {}. request: {}", connection.requests, line);
  }
  connection.last_status = value_of(line, " status=");
  const std::string_view asked = value_of(line, " request=");
  if (!asked.empty()) return read_target(asked.substr(asked.rfind(' ') + 1), line, connection);
  connection.over = connection.head_cut = true;
  if (ends_connection(line) || !cuts_head(value_of(line, " end="))) {
    stage_.chronicle.fail(kWho, "tells of no request: {}", line);
  }
}

void LogReader::read_target(std::string_view target, std::string_view line,
                            LoggedConnection& connection) {
  const std::size_t second = std::min(target.find('/', 1), target.size());
  const std::uint64_t client = number_in(target.substr(1, second - 1));
  const std::uint64_t request = number_in(target.substr(std::min(second + 1, target.size())));
  const bool named = client < 65'536 && request < 65'536 &&
                     stage_.scenario.request(static_cast<unsigned>(client),
                                             static_cast<unsigned>(request)) != nullptr;
  if (!named || request + 1 != connection.requests) {
    return stage_.chronicle.fail(kWho, "tells of what nobody has asked: {}", line);
  }
  belongs_to(static_cast<unsigned>(client), line, connection);
  judge_id(stage_.trail(static_cast<unsigned>(client), static_cast<unsigned>(request)), line);
  const Trail& trail = stage_.trail(static_cast<unsigned>(client), static_cast<unsigned>(request));
  judge_trace(trail, line);
  if (stage_.kicks.is_over(number_in(value_of(line, " id=")), trail.websocket.asked_at)) {
    stage_.chronicle.fail(kWho, "tells of what was asked behind a kick: {}", line);
  }
  LogLine& told = stage_.trail(static_cast<unsigned>(client), static_cast<unsigned>(request))
                      .lines.emplace_back();
  told.at = stage_.now();
  told.websocket = line.starts_with("websocket ");
  told.tunnel = line.starts_with("tunnel ");
  connection.over = ends_connection(line);
  told.end = value_of(line, " end=");
  told.by = value_of(line, " by=");
  if (told.end == "rebalanced") ++stage_.rebalances.asked;
  told.status = value_of(line, " status=");
  told.code = value_of(line, " code=");
  told.answer_bytes = value_of(line, " response_bytes=");
  told.upstream = value_of(line, " upstream=");
  const RequestPlan& plan =
      *stage_.scenario.request(static_cast<unsigned>(client), static_cast<unsigned>(request));
  told.may_lack_servers = stage_.health->may_be_down(plan.pool);
  told.client_bytes = value_of(line, " client_bytes=");
  told.upstream_bytes = value_of(line, " upstream_bytes=");
}

void LogReader::belongs_to(unsigned client, std::string_view line, LoggedConnection& connection) {
  if (connection.client.value_or(client) != client) {
    stage_.chronicle.fail(kWho, "tells of client {} on a connection of client {}: {}", client,
                          *connection.client, line);
  }
  connection.client = client;
}

}  // namespace simulation
