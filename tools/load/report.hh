// A run's result: one line of JSON for programs, a few lines for people.
#pragma once

#include <string>

#include "tools/load/options.hh"
#include "tools/load/tally.hh"

namespace load {

std::string json_of(const Options& options, const Tally& tally);
std::string text_of(const Options& options, const Tally& tally);

}  // namespace load
