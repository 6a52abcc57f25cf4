#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/load/report/hdr_encoding.hh"
#include "tools/load/report/json.hh"
#include "tools/load/report/quantile_table.hh"
#include "tools/load/report/summary.hh"
#include "tools/load/report/verdict.hh"

namespace load::report {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Histogram& histogram) {
  Json json = {{"count", histogram.count()},
               {"min_ns", histogram.min().count()},
               {"mean_ns", histogram.mean().count()}};
  for (const NamedShare& one : kShares) {
    json[std::string(one.key) + "_ns"] = histogram.quantile(one.share).count();
  }
  json["max_ns"] = histogram.max().count();
  json["histogram"] = encode(histogram);
  return json;
}

Json json_of(const Counts& counts) {
  Json json = Json::object();
  for (const CountName& one : kCountNames) {
    if (counts.*one.member != 0) json[std::string(one.key)] = counts.*one.member;
  }
  return json;
}

Json json_of(const Phase& phase) {
  Json timings = Json::object();
  for (const TimingName& one : kTimingNames) {
    const Histogram& histogram = phase.timings[static_cast<std::size_t>(one.timing)];
    if (!histogram.empty()) timings[std::string(one.key)] = json_of(histogram);
  }
  return {{"name", phase.name},
          {"begin_ns", phase.begin.count()},
          {"length_ns", phase.length.count()},
          {"rate_wanted", phase.rate_wanted},
          {"counts", json_of(phase.counts)},
          {"timings", std::move(timings)}};
}

Json json_of(const Interval& interval) {
  Json json = {{"begin_ns", interval.begin.count()},
               {"length_ns", interval.length.count()},
               {"phase", interval.phase},
               {"open", interval.open},
               {"errors", interval.errors},
               {"watched_cpu_seconds", interval.watched_cpu_seconds},
               {"counts", json_of(interval.counts)}};
  if (!interval.rtt.empty()) json["rtt"] = json_of(interval.rtt);
  return json;
}

Json json_of(const Storm& storm) {
  const Json recovered = storm.recovered ? Json(storm.recovered->count()) : Json(nullptr);
  return {{"begin_ns", storm.begin.count()},
          {"dropped", storm.dropped},
          {"recovered_ns", recovered}};
}

Json json_of(const CutShort& cut) {
  return {{"phase", cut.phase}, {"after_ns", cut.after.count()}, {"of_ns", cut.of.count()}};
}

template <typename Code>
Json codes_of(const std::map<Code, std::uint64_t>& codes) {
  Json json = Json::object();
  for (const auto& [code, count] : codes) json[std::to_string(code)] = count;
  return json;
}

Json json_of(const BadCitizens& bad) {
  Json json = {{"opened", bad.opened},
               {"refused", bad.refused},
               {"closes", codes_of(bad.closes)},
               {"statuses", codes_of(bad.statuses)},
               {"cut", bad.cut},
               {"ended_by_us", bad.ended_by_us},
               {"open", bad.open},
               {"open_longest_ns", bad.open_longest.count()}};
  if (!bad.until_ended.empty()) json["until_ended"] = json_of(bad.until_ended);
  return json;
}

Json bad_of(const std::map<BadKind, BadCitizens>& kinds) {
  Json json = Json::object();
  for (const auto& [kind, bad] : kinds) json[std::string(name_of(kind))] = json_of(bad);
  return json;
}

Json json_of(const Generator& generator) {
  return {{"cpu_seconds", generator.cpu_seconds},
          {"busiest_shard", generator.busiest_shard},
          {"shards", generator.shards},
          {"limits", generator.limits}};
}

Json json_of(const Watched& watched) {
  return {{"pid", watched.pid},
          {"cpu_seconds", watched.cpu_seconds},
          {"resident_bytes_max", watched.resident_bytes_max},
          {"resident_bytes_before", watched.resident_bytes_before},
          {"gone", watched.gone}};
}

Json json_of(const GateResult& gate) {
  const bool known = gate.value && std::isfinite(*gate.value);
  return {{"text", gate.gate.text},
          {"value", known ? Json(*gate.value) : Json(nullptr)},
          {"failed", gate.failed}};
}

template <typename Container>
Json list_of(const Container& items) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(json_of(item));
  return list;
}

Json errors_of(const std::map<std::string, ErrorKind>& errors) {
  Json json = Json::object();
  for (const auto& [kind, error] : errors) {
    json[kind] = {{"count", error.count}, {"example", error.example}};
  }
  return json;
}

Json total_of(const Result& result) {
  return {{"seconds", std::chrono::duration<double>(measured_time(result)).count()},
          {"rate", rate_of(result)},
          {"errors", report::errors_of(result)},
          {"counts", json_of(total(result))}};
}

}  // namespace

std::string json_of(const Result& result, const GateResults& gates) {
  const Json json = {
      {"schema", 1},
      {"tool", "gateway-load"},
      {"version", result.version},
      {"command", result.command},
      {"targets", result.targets},
      {"began_unix_ms", result.began_unix_ms},
      {"verdict",
       {{"status", exit_status_of(result, gates)}, {"text", verdict_of(result, gates)}}},
      {"gates", list_of(gates)},
      {"of_deliveries", result.of_deliveries},
      {"open", result.open},
      {"open_max", result.open_max},
      {"cut_short", result.cut_short ? json_of(*result.cut_short) : Json(nullptr)},
      {"compress", result.compress},
      {"interrupted", result.interrupted},
      {"target_unreachable", result.target_unreachable},
      {"found_rate", result.found_rate ? Json(*result.found_rate) : Json(nullptr)},
      {"total", total_of(result)},
      {"phases", list_of(result.phases)},
      {"intervals", list_of(result.intervals)},
      {"storms", list_of(result.storms)},
      {"unsent",
       {{"none_open", result.unsent.none_open},
        {"bounded", result.unsent.bounded},
        {"missed", result.unsent.missed}}},
      {"bad", bad_of(result.bad)},
      {"closes_by_peer", codes_of(result.closes_by_peer)},
      {"closes_by_us", codes_of(result.closes_by_us)},
      {"statuses", codes_of(result.statuses)},
      {"errors", errors_of(result.errors)},
      {"generator", json_of(result.generator)},
      {"watched", list_of(result.watched)},
  };
  // Texts come from peers: what is not UTF-8 is replaced.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace load::report
