// What of the log is a span, too: one for each request that a server was told is sampled, one for
// the life of what its handshake has opened, and each with an id of its own.
#include "gateway/log/span_tap.hh"
#include "gateway/tracing/span_json.hh"
#include "proto/http/trace_parent.hh"
#include "proto/jwt/json.hh"
#include "tests/simulation/log_reader.hh"

namespace simulation {
namespace {

constexpr std::string_view kWho = "log";

std::string_view text_of(const gateway::SpanId& id) {
  return {id.data(), id.size()};
}

}  // namespace

void LogReader::judge_span(const gateway::LogRing::Record& record, std::string_view line) {
  const std::string_view shown = value_of(line, " span_id=");
  const auto mark = gateway::span_of(record);
  if (!mark) {
    const bool is_so_far = line.starts_with("websocket-so-far ");
    if (!shown.empty() && !is_so_far) stage_.chronicle.fail(kWho, "has no span: {}", line);
    return;
  }
  if (!stage_.span_ids.emplace(text_of(mark->id)).second || mark->duration_ns < 0) {
    return stage_.chronicle.fail(kWho, "has a span again, or one that ends too soon: {}", line);
  }
  const bool is_life = line.starts_with("websocket ") || line.starts_with("tunnel ");
  const std::string_view told = text_of(is_life ? mark->parent : mark->id);
  const bool has_begun = !is_life || stage_.span_ids.contains(std::string(told));
  if (told != shown || !has_begun) {
    stage_.chronicle.fail(kWho, "has a span of another one: {}", line);
  }
  if (!jwt::Json::parse(gateway::tracing::span_json(record, *mark))) {
    stage_.chronicle.fail(kWho, "is no JSON as a span: {}", line);
  }
}

// A server that got it was told the truth of it.
void LogReader::judge_trace(const Trail& trail, std::string_view line) {
  const auto parent = http::trace_parent_of(trail.traceparent);
  if (!parent) return;
  const std::string_view shown = value_of(line, " span_id=");
  const bool is_same = shown.empty() ? !stage_.span_ids.contains(std::string(parent->parent_id))
                                     : parent->sampled && shown == parent->parent_id;
  if (!is_same) {
    stage_.chronicle.fail(kWho, "has another span than {}: {}", trail.traceparent, line);
  }
}

}  // namespace simulation
