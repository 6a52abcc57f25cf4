// What reports and gates ask of a result: sums over phases, merged histograms, whether the counters
// add up. Connections, losses and errors are those of the whole run; rate and the timings of
// messages are those of the measured phases, which are all but ramps.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "tools/load/result.hh"

namespace load::report {

struct TimingName {
  Timing timing;
  std::string_view key;     // in JSON, gates and histogram logs
  std::string_view words;   // for people
  bool of_connections;      // of the whole run, ramps included
};
inline constexpr std::array<TimingName, kTimings> kTimingNames = {{
    {Timing::kTcp, "tcp", "TCP", true},
    {Timing::kTls, "tls", "TLS", true},
    {Timing::kUpgrade, "upgrade", "upgrade", true},
    {Timing::kFirstMessage, "first_message", "first message", true},
    {Timing::kRtt, "rtt", "RTT", false},
    {Timing::kService, "service", "service", false},
    {Timing::kDelivery, "delivery", "delivery", false},
    {Timing::kScheduleLag, "lag", "schedule lag", false},
}};
const TimingName& name_of(Timing timing);

// A member of Counts, by the name that it has in JSON and gates.
struct CountName {
  std::string_view key;
  std::uint64_t Counts::*member;
};
inline constexpr std::array<CountName, 25> kCountNames = {{
    {"sent", &Counts::sent},
    {"received", &Counts::received},
    {"lost", &Counts::lost},
    {"in_flight", &Counts::in_flight},
    {"unanswered", &Counts::unanswered},
    {"late", &Counts::late},
    {"duplicated", &Counts::duplicated},
    {"reordered", &Counts::reordered},
    {"unexpected", &Counts::unexpected},
    {"delivered", &Counts::delivered},
    {"undelivered", &Counts::undelivered},
    {"unsent", &Counts::unsent},
    {"sent_bytes", &Counts::sent_bytes},
    {"received_bytes", &Counts::received_bytes},
    {"sent_wire_bytes", &Counts::sent_wire_bytes},
    {"received_wire_bytes", &Counts::received_wire_bytes},
    {"connects", &Counts::connects},
    {"opened", &Counts::opened},
    {"compressed", &Counts::compressed},
    {"failed", &Counts::failed},
    {"resumed", &Counts::resumed},
    {"full", &Counts::full},
    {"closed_by_us", &Counts::closed_by_us},
    {"lost_idle", &Counts::lost_idle},
    {"lost_sending", &Counts::lost_sending},
}};
static_assert(sizeof(Counts) == kCountNames.size() * sizeof(std::uint64_t), "a name for each");

bool is_ramp(const Phase& phase);
// It took no time, and nothing was counted in it: not worth a line.
bool is_empty(const Phase& phase);
Counts over_all_phases(const Result& result);
// The measured phases together; of connections all phases.
Histogram merged(const Result& result, Timing timing);
std::chrono::nanoseconds measured_time(const Result& result);
std::chrono::nanoseconds whole_time(const Result& result);
// Answers, or deliveries, a second of the measured phases.
double rate_of(const Result& result);
double rate_of(const Result& result, const Counts& counts, std::chrono::nanoseconds time);
// Connections opened a second: the figure of a run that only shakes hands.
double connect_rate_of(const Result& result);
std::uint64_t errors_of(const Result& result);
// Of the watched processes; none: nobody was watched, one was gone, or there was no message.
std::optional<std::chrono::nanoseconds> cpu_per_message(const Result& result);

// Why a run has failed without a gate; empty: it has not.
std::string failure_of(const Result& result);
// How many connections compress, of those that were opened. Empty where permessage-deflate was not
// offered.
std::string compressed_connections(const Result& result);
// How many bytes of messages went, and came, as one on the wire. Empty where nobody compresses.
std::string compression_ratios(const Result& result);

// Why the counters do not add up; empty: they do.
std::string imbalance_of(const Result& result);

}  // namespace load::report
