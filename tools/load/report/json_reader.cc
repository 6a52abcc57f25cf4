// Reads a result back. A Place is a value within the document, with the path to it; the first fault
// is kept, and everything behind it reads as zero, so that no call has to be checked by itself.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "tools/load/report/figures.hh"
#include "tools/load/report/hdr_encoding.hh"
#include "tools/load/report/json.hh"
#include "tools/load/report/summary.hh"

namespace load::report {
namespace {

using Json = nlohmann::json;

// Bounds for what a file can make us allocate beyond its own size. A run has up to 1,200 intervals
// and one more for each phase.
constexpr std::size_t kPhasesMax = 1001;
constexpr std::size_t kIntervalsMax = 4000;
constexpr std::size_t kHistogramBytesMax = std::size_t{512} << 20;
constexpr double kSecondsMax = 1e9;

class Place {
 public:
  // What all places of a document share.
  struct Reading {
    std::string fault;
    std::size_t histogram_bytes = 0;
  };

  Place(const Json& json, std::string path, Reading& reading)
      : json_(json), path_(std::move(path)), reading_(reading) {}

  bool has(const std::string& key) const { return json_.is_object() && json_.contains(key); }
  bool is_null() const { return json_.is_null(); }

  // Null where there is none.
  Place at(const std::string& key) const {
    static const Json kNothing;
    const std::string path = path_.empty() ? key : path_ + "." + key;
    return Place(has(key) ? json_.at(key) : kNothing, path, reading_);
  }

  std::string text() const {
    if (json_.is_string()) return json_.get<std::string>();
    return refuse("a string"), "";
  }

  bool truth() const {
    if (json_.is_boolean()) return json_.get<bool>();
    return refuse("true or false"), false;
  }

  double number(double most) const {
    const double value = json_.is_number() ? json_.get<double>() : -1;
    if (value >= 0 && value <= most) return value;
    return refuse(fmt::format("a number from 0 to {}", most)), 0;
  }

  template <typename Integer = std::uint64_t>
  Integer whole(std::uint64_t most = std::numeric_limits<Integer>::max()) const {
    if (json_.is_number_unsigned() && json_.get<std::uint64_t>() <= most) {
      return static_cast<Integer>(json_.get<std::uint64_t>());
    }
    return refuse(fmt::format("a whole number from 0 to {}", most)), 0;
  }

  std::chrono::nanoseconds time() const {
    return std::chrono::nanoseconds(whole<std::int64_t>(1'000'000'000'000'000'000));
  }

  template <typename Take>
  void each(std::size_t most, const Take& take) const {
    if (!json_.is_array() || json_.size() > most) {
      return refuse(fmt::format("a list of at most {}", most));
    }
    for (std::size_t i = 0; i < json_.size() && reading_.fault.empty(); ++i) {
      take(Place(json_[i], fmt::format("{}[{}]", path_, i), reading_));
    }
  }

  template <typename Take>
  void each_member(std::size_t most, const Take& take) const {
    if (!json_.is_object() || json_.size() > most) {
      return refuse(fmt::format("an object with at most {} members", most));
    }
    for (auto it = json_.begin(); it != json_.end() && reading_.fault.empty(); ++it) {
      take(it.key(), Place(it.value(), path_ + "." + it.key(), reading_));
    }
  }

  // One of all that a file makes us keep.
  void note_histogram(const Histogram& histogram) const {
    reading_.histogram_bytes += histogram.bytes();
    if (reading_.histogram_bytes > kHistogramBytesMax) refuse("a smaller histogram");
  }

  void refuse(std::string_view wanted) const {
    std::string& fault = reading_.fault;
    if (fault.empty()) fault = fmt::format("{}: should be {}", printable(path_), wanted);
  }

 private:
  const Json& json_;
  std::string path_;
  Reading& reading_;
};

Histogram histogram_at(const Place& place) {
  auto histogram = decode(place.at("histogram").text());
  if (!histogram) {
    place.at("histogram").refuse("a histogram: " + histogram.error());
    return {};
  }
  place.note_histogram(*histogram);
  histogram->set_extremes(place.at("min_ns").time(), Histogram::Duration(
      place.at("max_ns").whole<std::int64_t>()));
  return *histogram;
}

Counts counts_at(const Place& place) {
  Counts counts;
  for (const CountName& one : kCountNames) {
    const std::string key(one.key);
    if (place.has(key)) counts.*one.member = place.at(key).whole();
  }
  return counts;
}

Phase phase_at(const Place& place) {
  Phase phase{.name = place.at("name").text(),
              .begin = place.at("begin_ns").time(),
              .length = place.at("length_ns").time(),
              .rate_wanted = place.at("rate_wanted").number(1e12),
              .counts = counts_at(place.at("counts"))};
  const Place timings = place.at("timings");
  for (const TimingName& one : kTimingNames) {
    const std::string key(one.key);
    if (!timings.has(key)) continue;
    phase.timings[static_cast<std::size_t>(one.timing)] = histogram_at(timings.at(key));
  }
  return phase;
}

Interval interval_at(const Place& place) {
  Interval interval;
  interval.begin = place.at("begin_ns").time();
  interval.length = place.at("length_ns").time();
  interval.phase = place.at("phase").whole<std::size_t>(kPhasesMax);
  interval.open = place.at("open").whole();
  interval.errors = place.at("errors").whole();
  interval.watched_cpu_seconds = place.at("watched_cpu_seconds").number(kSecondsMax);
  interval.counts = counts_at(place.at("counts"));
  if (place.has("rtt")) interval.rtt = histogram_at(place.at("rtt"));
  return interval;
}

Storm storm_at(const Place& place) {
  Storm storm{.begin = place.at("begin_ns").time(), .dropped = place.at("dropped").whole()};
  if (const Place at = place.at("recovered_ns"); !at.is_null()) storm.recovered = at.time();
  return storm;
}

Watched watched_at(const Place& place) {
  return {.pid = place.at("pid").whole<std::int64_t>(),
          .cpu_seconds = place.at("cpu_seconds").number(kSecondsMax),
          .resident_bytes_max = place.at("resident_bytes_max").whole(),
          .resident_bytes_before = place.at("resident_bytes_before").whole(),
          .gone = place.at("gone").truth()};
}

template <typename Code>
std::map<Code, std::uint64_t> codes_at(const Place& place) {
  std::map<Code, std::uint64_t> codes;
  place.each_member(5000, [&](const std::string& key, const Place& count) {
    const bool digits = key.find_first_not_of("0123456789") == key.npos;
    if (!digits || key.empty() || key.size() > 5 || std::stoul(key) > 65535) {
      return count.refuse("named by a code of at most 65535");
    }
    codes[static_cast<Code>(std::stoul(key))] = count.whole();
  });
  return codes;
}

BadCitizens bad_at(const Place& place) {
  BadCitizens bad{.refused = place.at("refused").whole(),
                  .opened = place.at("opened").whole(),
                  .closes = codes_at<std::uint16_t>(place.at("closes")),
                  .statuses = codes_at<int>(place.at("statuses")),
                  .cut = place.at("cut").whole(),
                  .ended_by_us = place.at("ended_by_us").whole(),
                  .open = place.at("open").whole(),
                  .open_longest = place.at("open_longest_ns").time(),
                  .until_ended = {}};
  if (place.has("until_ended")) bad.until_ended = histogram_at(place.at("until_ended"));
  return bad;
}

// Results of before there were any have none.
void read_bad(const Place& root, Result& result) {
  if (!root.has("bad")) return;
  root.at("bad").each_member(kBadKinds, [&](const std::string& name, const Place& one) {
    const auto kind = std::find(kBadKindNames.begin(), kBadKindNames.end(), name);
    if (kind == kBadKindNames.end()) return one.refuse("a kind of bad citizen");
    result.bad[static_cast<BadKind>(kind - kBadKindNames.begin())] = bad_at(one);
  });
}

Generator generator_at(const Place& place) {
  Generator generator{.cpu_seconds = place.at("cpu_seconds").number(kSecondsMax),
                      .busiest_shard = place.at("busiest_shard").number(1000),
                      .shards = place.at("shards").whole<std::size_t>()};
  place.at("limits").each(1000, [&](const Place& limit) {
    generator.limits.push_back(limit.text());
  });
  return generator;
}

void read_lists(const Place& root, Result& result) {
  root.at("targets").each(10'000, [&](const Place& one) { result.targets.push_back(one.text()); });
  root.at("phases").each(kPhasesMax, [&](const Place& one) {
    result.phases.push_back(phase_at(one));
  });
  root.at("intervals").each(kIntervalsMax, [&](const Place& one) {
    result.intervals.push_back(interval_at(one));
  });
  root.at("storms").each(10'000, [&](const Place& one) { result.storms.push_back(storm_at(one)); });
  root.at("watched").each(1000, [&](const Place& one) {
    result.watched.push_back(watched_at(one));
  });
  root.at("errors").each_member(10'000, [&](const std::string& kind, const Place& one) {
    result.errors[kind] = {one.at("count").whole(), one.at("example").text()};
  });
}

Result result_at(const Place& root) {
  Result result;
  result.version = root.at("version").text();
  result.command = root.at("command").text();
  result.began_unix_ms = root.at("began_unix_ms").whole<std::int64_t>(100'000'000'000'000);
  result.of_deliveries = root.at("of_deliveries").truth();
  result.open = root.at("open").whole();
  result.open_max = root.at("open_max").whole();
  if (const Place at = root.at("cut_short"); !at.is_null()) {
    result.cut_short = {.phase = at.at("phase").text(),
                        .after = at.at("after_ns").time(),
                        .of = at.at("of_ns").time()};
  }
  // Results of versions that had no such option have no such member.
  if (root.has("compress")) result.compress = root.at("compress").truth();
  result.interrupted = root.at("interrupted").truth();
  result.target_unreachable = root.at("target_unreachable").truth();
  if (const Place at = root.at("found_rate"); !at.is_null()) result.found_rate = at.number(1e12);
  result.closes_by_peer = codes_at<std::uint16_t>(root.at("closes_by_peer"));
  result.closes_by_us = codes_at<std::uint16_t>(root.at("closes_by_us"));
  result.statuses = codes_at<int>(root.at("statuses"));
  result.generator = generator_at(root.at("generator"));
  const Place unsent = root.at("unsent");
  result.unsent = {.none_open = unsent.at("none_open").whole(),
                   .bounded = unsent.at("bounded").whole(),
                   .missed = unsent.at("missed").whole()};
  read_lists(root, result);
  read_bad(root, result);
  return result;
}

}  // namespace

std::expected<Result, std::string> result_of_json(std::string_view text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    return std::unexpected(fmt::format("is no JSON: {}", printable(error.what())));
  }
  Place::Reading reading;
  const Place root(json, "", reading);
  if (!root.has("schema") || !root.has("tool")) {
    return std::unexpected("is no result of gateway-load: it should be what --json has written");
  }
  if (root.at("schema").whole() != 1) {
    return std::unexpected("has a schema that this version does not know: it reads schema 1");
  }
  Result result = result_at(root);
  if (!reading.fault.empty()) return std::unexpected(reading.fault);
  return result;
}

}  // namespace load::report
