// A record of the log as a span of OTLP/HTTP's JSON (opentelemetry-proto 1, trace/v1): what its
// line says are the span's attributes, so that both say the same. Names are those of
// OpenTelemetry's semantic conventions where they have one, and `gateway.*` else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/log/ring.hh"
#include "gateway/log/span_mark.hh"

namespace gateway::tracing {

// One object, in ASCII and without a line end. `mark` is that of the record.
std::string span_json(const LogRing::Record& record, const SpanMark& mark);

// Who says it.
struct Resource {
  std::string service;  // service.name
  std::string version;
  std::string instance;  // service.instance.id
  std::string host;      // host.name; empty: not known
  int pid;
};

// What a collector takes: ExportTraceServiceRequest. The spans are objects of span_json.
std::string export_json(const Resource& resource, const std::vector<std::string>& spans);

}  // namespace gateway::tracing
