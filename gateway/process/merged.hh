// What all shards have counted for the same name, for metrics: the parts of each, held while they
// are read, and their sums.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/metrics/counters.hh"
#include "gateway/metrics/handshakes.hh"
#include "gateway/process/metrics_text.hh"

namespace gateway {

template <class Kind>
class Merged {
 public:
  using Parts = std::vector<std::shared_ptr<const Kind>>;
  using Entry = std::pair<MetricLabels, Parts>;

  // `named`: which of the counters. The words of a name, which blanks part, are the values of
  // `labels`, the last of which has the rest.
  Merged(const std::vector<const Counters*>& shards, NamedTraffic<Kind> Counters::*named,
         const std::vector<std::string_view>& labels) {
    std::map<std::string, Parts, std::less<>> by_name;
    for (const Counters* const shard : shards) {
      for (auto& [name, part] : (shard->*named).entries()) by_name[name].push_back(std::move(part));
    }
    entries_.reserve(by_name.size());
    for (auto& [name, parts] : by_name)
      entries_.emplace_back(labelled(name, labels), std::move(parts));
  }

  const std::vector<Entry>& entries() const { return entries_; }
  // What is of no interest to whoever asks.
  void leave_out(const MetricLabels& labels) {
    std::erase_if(entries_,
                  [&](const Entry& entry) { return entry.first.text() == labels.text(); });
  }

 private:
  static MetricLabels labelled(std::string_view name, const std::vector<std::string_view>& labels) {
    MetricLabels made;
    for (std::size_t index = 0; index < labels.size(); ++index) {
      const bool is_last = index + 1 == labels.size();
      const std::size_t end = is_last ? name.size() : std::min(name.find(' '), name.size());
      made.add(labels[index], name.substr(0, end));
      name.remove_prefix(std::min(end + 1, name.size()));
    }
    return made;
  }

  std::vector<Entry> entries_;
};

template <class Parts, class Number>
std::uint64_t sum_of(const Parts& parts, Number number_of) {
  std::uint64_t sum = 0;
  for (const auto& part : parts) sum += number_of(*part);
  return sum;
}

// `histogram_of` gives a TimeHistogram of a part.
template <class Parts, class Histogram>
void add_histogram(MetricsText& to, const MetricLabels& labels, const Parts& parts,
                   Histogram histogram_of) {
  using Kind = std::remove_cvref_t<decltype(histogram_of(*parts.front()))>;
  typename Kind::Totals totals;
  for (const auto& part : parts) histogram_of(*part).add_to(totals);
  to.add(labels, Kind::bounds(), totals.below, totals.sum);
}

// One sample for each key that there is, and one more for what found no place in the tally.
template <class Parts, class TallyOf, class LabelsOf>
void add_tally(MetricsText& to, const Parts& parts, TallyOf tally_of, LabelsOf labels_of,
               const MetricLabels& of_others) {
  std::map<std::uint32_t, std::uint64_t> counts;
  for (const auto& part : parts) {
    tally_of(*part).for_each([&](std::uint32_t key, std::uint64_t count) { counts[key] += count; });
  }
  for (const auto& [key, count] : counts) to.add(labels_of(key), count);
  const std::uint64_t others =
      sum_of(parts, [&](const auto& one) { return tally_of(one).others(); });
  if (others > 0) to.add(of_others, others);
}

inline MetricLabels labels_of_handshake(const MetricLabels& labels, std::uint32_t key) {
  const HandshakeKind kind = handshake_of_key(key);
  return labels.with("resumed", kind.resumed ? "yes" : "no")
      .add("version", kind.version)
      .add("group", kind.group);
}

}  // namespace gateway
