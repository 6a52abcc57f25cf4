#include "gateway/tracing/partial_success.hh"

#include <charconv>
#include <nlohmann/json.hpp>

namespace gateway::tracing {
namespace {

constexpr std::size_t kMessageBytesMax = 256;
constexpr int kDepthMax = 8;

using Json = nlohmann::json;

// protobuf's JSON has numbers of 64 bits as strings; not all that write it do.
std::uint64_t count_from(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (!value.is_string()) return 0;
  const auto& text = value.get_ref<const std::string&>();
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  return error == std::errc{} && rest == end ? count : 0;
}

std::string message_from(const Json& value) {
  if (!value.is_string()) return {};
  std::string text = value.get<std::string>().substr(0, kMessageBytesMax);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e) c = '?';
  }
  return text;
}

}  // namespace

PartialSuccess partial_success_from(std::string_view json) {
  // Deep nesting is cut off: nothing of it is ours.
  const auto is_shallow = [](int depth, Json::parse_event_t, Json&) { return depth < kDepthMax; };
  const Json response = Json::parse(json, is_shallow, false);
  if (!response.is_object()) return {};
  const auto partial = response.find("partialSuccess");
  if (partial == response.end() || !partial->is_object()) return {};
  PartialSuccess result;
  if (const auto rejected = partial->find("rejectedSpans"); rejected != partial->end())
    result.rejected = count_from(*rejected);
  if (const auto message = partial->find("errorMessage"); message != partial->end())
    result.message = message_from(*message);
  return result;
}

}  // namespace gateway::tracing
