// [log], and what marks requests, as a file has them, for who prints a configuration.
#pragma once

#include <string>

#include "gateway/config/config.hh"

namespace gateway::config {

std::string log_lines(const LogSettings& log);
// What differs from `others`, if there are any.
std::string marking_lines(const Marking& marking, const Marking* others = nullptr);

}  // namespace gateway::config
