// The highest rate at which an objective holds: doubled, or halved, until it changes, then halved
// distances, until two rates are within 5 %. Each trial is a run of its own, with connections of
// its own, so that none inherits another one's queues.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "tools/load/report/gates.hh"

namespace load {

inline constexpr double kFindRateMax = 1e7;
inline constexpr double kFindRateMin = 1;

using Trial = std::function<std::expected<Result, std::string>(double per_second)>;

// Whether a trial's objective holds, its messages went when they were due, and it was not the
// generator that set the figures.
bool holds_at(const Gate& objective, const Result& result);

// The result of the best trial, or of the last where none was good, with found_rate; without it
// where the first trial was interrupted. Where it was the generator that held no higher rate, its
// limits are in the result. The error is the trials'.
std::expected<Result, std::string> find_rate(const Gate& objective, double first,
                                             const Trial& trial);

}  // namespace load
