// What a collector says of an export that it has taken in part: ExportTraceServiceResponse of
// OTLP's JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gateway::tracing {

struct PartialSuccess {
  std::uint64_t rejected = 0;  // spans
  std::string message;         // in ASCII, and short
};

// Nothing was rejected where the text says nothing of it, or is none of this.
PartialSuccess partial_success_from(std::string_view json);

}  // namespace gateway::tracing
