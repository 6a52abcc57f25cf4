// One export to one address of a collector: OTLP/HTTP with a JSON body (opentelemetry-proto,
// docs/specification.md, "OTLP/HTTP"), over a connection of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/config/tracing_settings.hh"
#include "gateway/link/server_call.hh"

namespace gateway::tracing {

class CollectorCall {
 public:
  explicit CollectorCall(uring::LinkResources& links) : call_(links) {}

  // Once. All that it is given outlives it.
  uring::Task<> run(const ServerCall::Target& target, const config::TracingSettings& settings,
                    std::string_view body);
  // It takes too long, or is not wanted any more: run() ends soon.
  void abort() { call_.abort(); }

  enum class Outcome : std::uint8_t {
    kUnreachable,  // nothing was said: another address may be tried
    kBusy,         // it may be tried again later
    kRefused,      // nor ever
    kTaken,
  };
  Outcome outcome() const { return outcome_; }
  // Why it was not taken, or what the collector says of it.
  const std::string& cause() const { return cause_; }
  std::uint64_t rejected() const { return rejected_; }  // spans of what was taken
  // How long the collector wants to be left alone; 0: it has not said.
  std::chrono::seconds retry_after() const { return retry_after_; }

  uring::BlockPool& frames() { return call_.frames(); }

 private:
  uring::Task<> converse(const ServerCall::Target& target, const config::TracingSettings& settings,
                         std::string_view body);
  void judge(std::uint16_t status);
  uring::Task<> look_at_body();

  ServerCall call_;
  Outcome outcome_ = Outcome::kUnreachable;
  std::string cause_;
  std::uint64_t rejected_ = 0;
  std::chrono::seconds retry_after_{0};
};

}  // namespace gateway::tracing
