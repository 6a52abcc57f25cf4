// [tracing]: where spans go, and which. Plain data, a part of Config.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::config {

// Whose traceparent decides whether its request is sampled; the others begin traces of their own.
enum class SamplingParent : std::uint8_t { any, trusted };

inline constexpr std::array<std::string_view, 2> kSamplingParentNames = {"any", "trusted"};

struct TracingSettings {
  std::string endpoint;  // an URL, as written
  size_t pool = 0;       // of its own: index into Config::pools
  std::string pool_name;
  std::string host;  // as Host has it
  std::string path;
  std::vector<std::string> header_names;
  std::string header_lines;     // "Name: value\r\n" of each
  std::string sample = "100%";  // of the traces that nobody has decided on, as written
  std::uint64_t sampled_of_all = std::uint64_t{1} << 56;  // the same, of 2^56
  SamplingParent parent = SamplingParent::any;
  std::string service = "gateway";
  std::chrono::milliseconds interval{5'000};  // from a batch's first span to its export
  std::chrono::milliseconds timeout{10'000};  // of an export
  size_t queue = 4'096;                       // spans that wait; more are dropped

  bool operator==(const TracingSettings&) const = default;
};

}  // namespace gateway::config
