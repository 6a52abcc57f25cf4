#include "proto/http/trace_parent.hh"

#include <algorithm>
#include <array>

#include "proto/hex.hh"

namespace http {
namespace {

constexpr std::size_t kTraceIdAt = 3;
constexpr std::size_t kParentIdAt = 36;
constexpr std::size_t kFlagsAt = 53;
constexpr std::string_view kDigits = "0123456789abcdef";

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return kDigits.find(c) != kDigits.npos; });
}

bool is_zero(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '0'; });
}

// Of the flags those that stand in the last digit (section 3.2.2.5).
bool has_flag(std::string_view flags, unsigned bit) {
  return (kDigits.find(flags[1]) >> bit) % 2 == 1;
}

void keep_from_zero(std::span<char> digits) {
  if (is_zero({digits.data(), digits.size()})) digits.back() = '1';
}

void write_parts(std::span<char, kTraceParentBytes> to, std::string_view trace_id,
                 std::span<const std::byte> span_id, std::string_view flags) {
  char* at = std::ranges::copy(std::string_view("00-"), to.data()).out;
  at = std::ranges::copy(trace_id, at).out;
  *at++ = '-';
  at = proto::write_hex(at, span_id.first(kParentIdBytes));
  keep_from_zero(to.subspan(kParentIdAt, 2 * kParentIdBytes));
  *at++ = '-';
  std::ranges::copy(flags, at);
}

}  // namespace

std::optional<TraceParent> trace_parent_of(std::string_view value) {
  if (value.size() < kTraceParentBytes) return std::nullopt;
  const std::string_view version = value.substr(0, 2);
  const std::string_view trace_id = value.substr(kTraceIdAt, 2 * kTraceIdBytes);
  const std::string_view parent_id = value.substr(kParentIdAt, 2 * kParentIdBytes);
  const std::string_view flags = value.substr(kFlagsAt, 2);
  const bool dashes =
      value[2] == '-' && value[kParentIdAt - 1] == '-' && value[kFlagsAt - 1] == '-';
  const bool digits =
      is_digits(version) && is_digits(trace_id) && is_digits(parent_id) && is_digits(flags);
  if (!dashes || !digits || version == "ff") return std::nullopt;
  if (is_zero(trace_id) || is_zero(parent_id)) return std::nullopt;
  if (value.size() > kTraceParentBytes && (version == "00" || value[kTraceParentBytes] != '-'))
    return std::nullopt;
  return TraceParent{trace_id, parent_id, has_flag(flags, 0), has_flag(flags, 1)};
}

void write_trace_parent(std::span<char, kTraceParentBytes> to, std::span<const std::byte> random,
                        bool sampled) {
  std::array<char, 2 * kTraceIdBytes> trace_id;
  proto::write_hex(trace_id.data(), random.first(kTraceIdBytes));
  keep_from_zero(trace_id);
  write_parts(to, {trace_id.data(), trace_id.size()}, random.subspan(kTraceIdBytes),
              sampled ? "01" : "00");
}

void write_trace_parent(std::span<char, kTraceParentBytes> to, const TraceParent& parent,
                        std::span<const std::byte> random) {
  write_parts(to, parent.trace_id, random, parent.random ? "03" : "01");
}

}  // namespace http
