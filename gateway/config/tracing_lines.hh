// [tracing] as a file has it, for who prints a configuration.
#pragma once

#include <optional>
#include <string>

#include "gateway/config/tracing_settings.hh"

namespace gateway::config {

// The values of headers are left out: they may be secrets.
std::string tracing_lines(const std::optional<TracingSettings>& tracing);

}  // namespace gateway::config
