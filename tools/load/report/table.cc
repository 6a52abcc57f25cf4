#include "tools/load/report/table.hh"

#include <fmt/format.h>

#include <algorithm>

#include "tools/load/report/bad_text.hh"
#include "tools/load/report/figures.hh"
#include "tools/load/report/quantile_table.hh"
#include "tools/load/report/summary.hh"

namespace load::report {
namespace {

// "  1,234 received, 3 lost": those that are not zero, on as few lines as possible.
class Facts {
 public:
  explicit Facts(std::string_view title) : line_(fmt::format("  {:<13}", title)) {}

  void add(std::uint64_t count, std::string_view what) {
    if (count > 0) add(count_text(count) + " " + std::string(what));
  }
  void add(const std::string& fact) {
    if (facts_ > 0 && line_.size() + fact.size() + 2 > kColumns) {
      text_ += line_ + ",\n";
      line_ = std::string(15, ' ') + fact;
    } else {
      line_ += (facts_ == 0 ? "" : ", ") + fact;
    }
    ++facts_;
  }
  std::string text() const { return facts_ == 0 ? "" : text_ + line_ + "\n"; }

 private:
  static constexpr std::size_t kColumns = 80;

  std::string text_;
  std::string line_;
  std::size_t facts_ = 0;
};

std::string messages_of(const Counts& counts) {
  Facts facts("messages");
  facts.add(counts.sent, "sent");
  facts.add(counts.received, "received");
  facts.add(counts.delivered, "delivered");
  facts.add(counts.lost, "lost");
  facts.add(counts.undelivered, "never delivered");
  facts.add(counts.late, "answered too late");
  facts.add(counts.duplicated, "duplicated");
  facts.add(counts.reordered, "reordered");
  facts.add(counts.unexpected, "that nobody sent");
  facts.add(counts.in_flight, "in flight at the end");
  facts.add(counts.unanswered, "cut off with their connection");
  facts.add(counts.unsent, "due but unsent");
  return facts.text();
}

std::string connections_of(const Counts& counts) {
  Facts facts("connections");
  facts.add(counts.connects, "begun");
  facts.add(counts.opened, "opened");
  facts.add(counts.failed, "failed");
  facts.add(counts.full, "full TLS handshakes");
  facts.add(counts.resumed, "resumed");
  facts.add(counts.closed_by_us, "closed by us");
  facts.add(counts.lost_idle, "ended by the peer while idle");
  facts.add(counts.lost_sending, "ended by the peer while sending");
  return facts.text();
}

std::string rates_of(const Result& result, const Phase& phase) {
  const double seconds = seconds_of(phase.length);
  if (seconds <= 0) return "";
  Facts facts("rate");
  const double rate = rate_of(result, phase.counts, phase.length);
  if (rate > 0 || phase.rate_wanted > 0) {
    facts.add(rate_text(rate) + (phase.rate_wanted > 0
                                     ? " of the " + rate_text(phase.rate_wanted) + " wanted"
                                     : ""));
  }
  const auto bytes_a_second = [&](std::uint64_t bytes) {
    return bytes_text(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)) + "/s";
  };
  if (phase.counts.sent_bytes > 0) facts.add(bytes_a_second(phase.counts.sent_bytes) + " out");
  if (phase.counts.received_bytes > 0) {
    facts.add(bytes_a_second(phase.counts.received_bytes) + " in");
  }
  const auto add_rate = [&](std::uint64_t count, std::string_view words) {
    if (count == 0) return;
    facts.add(rate_text(static_cast<double>(count) / seconds) + " " + std::string(words));
  };
  add_rate(phase.counts.opened, "opened");
  add_rate(phase.counts.lost_idle, "disconnected while idle");
  add_rate(phase.counts.lost_sending, "disconnected while sending");
  return facts.text();
}

std::string block_of(const Result& result, const Phase& phase) {
  QuantileTable table;
  for (const TimingName& one : kTimingNames) {
    table.add(one.words, phase.timings[static_cast<std::size_t>(one.timing)]);
  }
  return fmt::format("{}: {} from {} on\n", printable(phase.name), duration_text(phase.length),
                     clock_text(phase.begin)) +
         rates_of(result, phase) + messages_of(phase.counts) + connections_of(phase.counts) +
         table.text("  ") + "\n";
}

template <typename Code>
std::string codes_of(std::string_view title, const std::map<Code, std::uint64_t>& codes) {
  Facts facts(title);
  for (const auto& [code, count] : codes) {
    facts.add(fmt::format("{} x {}", code, count_text(count)));
  }
  return facts.text();
}

std::string endings_of(const Result& result) {
  const std::string text = codes_of("by the peer", result.closes_by_peer) +
                           codes_of("by us", result.closes_by_us) +
                           codes_of("status", result.statuses);
  return text.empty() ? "" : "close codes and statuses\n" + text + "\n";
}

std::string errors_text(const Result& result) {
  if (result.errors.empty()) return "";
  std::string text = "errors\n";
  for (const auto& [kind, error] : result.errors) {
    text += fmt::format("  {:>11}  {}\n", count_text(error.count), printable(kind, 200));
    if (!error.example.empty()) {
      text += fmt::format("{:15}{}\n", "", "the first: " + printable(error.example));
    }
  }
  return text + "\n";
}

std::string storms_of(const Result& result) {
  std::string text;
  for (const Storm& storm : result.storms) {
    text += fmt::format("storm at {}: {} connections dropped, {}\n", clock_text(storm.begin),
                        count_text(storm.dropped),
                        storm.recovered ? "recovered in " + duration_text(*storm.recovered)
                                        : "not recovered when the run ended");
  }
  return text.empty() ? "" : text + "\n";
}

std::string compression_of(const Result& result) {
  if (!result.compress) return "";
  const std::string ratios = compression_ratios(result);
  return fmt::format("permessage-deflate: {} connections{}\n", compressed_connections(result),
                     ratios.empty() ? "" : ", compressed " + ratios);
}

std::string bad_of(const Result& result) {
  if (result.bad.empty()) return "";
  std::string text = "bad citizens\n";
  QuantileTable times;
  for (const auto& [kind, bad] : result.bad) {
    Facts facts(name_of(kind));
    facts.add(bad.opened, "opened");
    facts.add(bad.refused, "refused");
    facts.add(ended_by_peer(bad), "ended by the target");
    for (const std::string& way : bad_endings_of(bad)) facts.add(way);
    facts.add(bad.ended_by_us, "ended by us");
    facts.add(bad.open, "open at the end");
    text += facts.text();
    times.add(name_of(kind), bad.until_ended);
  }
  return text + times.text("  ") + "\n";
}

std::string machine_of(const Result& result) {
  const Generator& generator = result.generator;
  std::string text = fmt::format(
      "generator: {} {}, {:.2f} s of processor time, the busiest at {:.0f} % of a core\n",
      generator.shards, generator.shards == 1 ? "thread" : "threads", generator.cpu_seconds,
      generator.busiest_shard * 100);
  for (const Watched& one : result.watched) {
    text += fmt::format("process {}: {:.2f} s of processor time, {} resident (before: {})\n",
                        one.pid, one.cpu_seconds, bytes_text(one.resident_bytes_max),
                        bytes_text(one.resident_bytes_before));
  }
  if (const auto cpu = cpu_per_message(result)) {
    text += fmt::format("watched processes: {} of processor time a message\n", duration_text(*cpu));
  }
  return text;
}

}  // namespace

std::string table_of(const Result& result) {
  std::string text;
  for (const Phase& phase : result.phases) {
    if (!is_empty(phase)) text += block_of(result, phase);
  }
  text += endings_of(result) + errors_text(result) + storms_of(result) + bad_of(result);
  if (result.found_rate) {
    text += *result.found_rate > 0 ? "highest rate within the objective: " +
                                         rate_text(*result.found_rate) + "\n"
                                   : "no rate was within the objective\n";
  }
  text += fmt::format("open: {} at the end, {} at most\n", count_text(result.open),
                      count_text(result.open_max));
  return text + compression_of(result) + machine_of(result);
}

}  // namespace load::report
