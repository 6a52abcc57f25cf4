// `gateway-load compare a.json b.json`: whether a difference is more than noise.
#pragma once

#include <span>
#include <string>

#include "tools/load/report/bootstrap.hh"

namespace load::report {

std::string differences_text(const Differences& differences);

// Lines that say what of their load was not the same; empty: it was.
std::string unlike_text(const Result& first, const Result& second);

// Prints it. 0, whatever differs; 2: a file could not be read, or has too little in it.
int run_compare(std::span<const std::string> files);

}  // namespace load::report
