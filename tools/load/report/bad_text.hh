// Bad citizens in words: what became of each kind, for the table and the verdict.
#pragma once

#include <string>
#include <vector>

#include "tools/load/result.hh"

namespace load::report {

// "1011 x 50", "status 408 x 3", "cut x 2": how the target has ended those of a kind.
std::vector<std::string> bad_endings_of(const BadCitizens& bad);

// "never-pong: 50 of 50 were ended by the target (1011), within 20.0 s": a line for each kind.
std::string bad_verdict_of(const Result& result);

}  // namespace load::report
