#include "proto/http/trace_parent.hh"

#include <algorithm>

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

}  // namespace

std::optional<std::string_view> trace_id_of(std::string_view value) {
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
  return trace_id;
}

void write_trace_parent(std::span<char, kTraceParentBytes> to, std::span<const std::byte> random) {
  char* at = to.data();
  at = std::ranges::copy(std::string_view("00-"), at).out;
  at = proto::write_hex(at, random.first(kTraceIdBytes));
  *at++ = '-';
  at = proto::write_hex(at, random.subspan(kTraceIdBytes, kParentIdBytes));
  std::ranges::copy(std::string_view("-01"), at);
  const auto not_zero = [&](std::size_t begin, std::size_t digits) {
    if (is_zero({to.data() + begin, digits})) to[begin + digits - 1] = '1';
  };
  not_zero(kTraceIdAt, 2 * kTraceIdBytes);
  not_zero(kParentIdAt, 2 * kParentIdBytes);
}

}  // namespace http
