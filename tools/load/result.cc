#include "tools/load/result.hh"

#include <algorithm>

namespace load {

void add(Counts& to, const Counts& more) {
  to.sent += more.sent;
  to.received += more.received;
  to.lost += more.lost;
  to.in_flight += more.in_flight;
  to.unanswered += more.unanswered;
  to.late += more.late;
  to.duplicated += more.duplicated;
  to.reordered += more.reordered;
  to.unexpected += more.unexpected;
  to.delivered += more.delivered;
  to.undelivered += more.undelivered;
  to.unsent += more.unsent;
  to.sent_bytes += more.sent_bytes;
  to.received_bytes += more.received_bytes;
  to.sent_wire_bytes += more.sent_wire_bytes;
  to.received_wire_bytes += more.received_wire_bytes;
  to.connects += more.connects;
  to.opened += more.opened;
  to.compressed += more.compressed;
  to.failed += more.failed;
  to.resumed += more.resumed;
  to.full += more.full;
  to.closed_by_us += more.closed_by_us;
  to.lost_idle += more.lost_idle;
  to.lost_sending += more.lost_sending;
}

void add(BadCitizens& to, const BadCitizens& more) {
  to.refused += more.refused;
  to.opened += more.opened;
  for (const auto& [code, count] : more.closes) to.closes[code] += count;
  for (const auto& [status, count] : more.statuses) to.statuses[status] += count;
  to.cut += more.cut;
  to.ended_by_us += more.ended_by_us;
  to.open += more.open;
  to.open_longest = std::max(to.open_longest, more.open_longest);
  to.until_ended.merge(more.until_ended);
}

std::uint64_t ended_by_peer(const BadCitizens& bad) {
  std::uint64_t sum = bad.cut;
  for (const auto& [code, count] : bad.closes) sum += count;
  for (const auto& [status, count] : bad.statuses) sum += count;
  return sum;
}

bool adds_up(const Counts& counts) {
  return counts.sent == counts.received + counts.lost + counts.in_flight + counts.unanswered;
}

Counts total(const Result& result) {
  Counts sum;
  bool follows_measured = false;
  for (const Phase& phase : result.phases) {
    const bool measured = !phase.name.starts_with("ramp");
    if (measured && follows_measured) {
      sum.sent -= sum.in_flight;
      sum.in_flight = 0;
    }
    if (measured) add(sum, phase.counts);
    follows_measured = measured;
  }
  return sum;
}

std::uint64_t answers_or_deliveries(const Result& result, const Counts& counts) {
  return result.of_deliveries ? counts.delivered : counts.received;
}

double unsent_share(const Result& result) {
  const Counts counts = total(result);
  const auto due = static_cast<double>(counts.sent + counts.unsent);
  return due > 0 ? static_cast<double>(counts.unsent) / due : 0;
}

}  // namespace load
