#include "tools/load/field_extraction.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/load/message_template.hh"

namespace load {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kPointerBytesMax = 1024;

// Beginning with / (or empty, for the whole reply), each ~ before 0 or 1.
bool is_pointer(std::string_view text) {
  if (text.size() > kPointerBytesMax || (!text.empty() && !text.starts_with('/'))) return false;
  for (std::size_t i = text.find('~'); i != std::string_view::npos; i = text.find('~', i + 1)) {
    const std::string_view next = text.substr(i + 1, 1);
    if (next != "0" && next != "1") return false;
  }
  return true;
}

std::string unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~' && i + 1 < token.size();
    text += !escape ? token[i] : token[i + 1] == '0' ? '~' : '/';
    i += escape ? 1 : 0;
  }
  return text;
}

// An array's element, "0", "1" and so on; null if it has none.
const Json* element_of(const Json& array, std::string_view token) {
  std::size_t index = 0;
  for (const char c : token) {
    if (c < '0' || c > '9' || index > array.size()) return nullptr;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  const bool leading_zero = token.size() > 1 && token.starts_with('0');
  return token.empty() || leading_zero || index >= array.size() ? nullptr : &array[index];
}

// What a pointer means; null if there is nothing.
const Json* find(const Json& json, std::string_view pointer) {
  const Json* found = &json;
  while (!pointer.empty() && found != nullptr) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    if (found->is_array()) {
      found = element_of(*found, token);
    } else if (found->is_object()) {
      const auto member = found->find(unescaped(token));
      found = member == found->end() ? nullptr : &*member;
    } else {
      found = nullptr;
    }
  }
  return found;
}

std::unexpected<std::string> refuse(const Extraction& extraction, std::string_view why) {
  return std::unexpected(fmt::format("{} in a reply: {}", extraction.pointer, why));
}

}  // namespace

std::expected<Extraction, std::string> parse_extraction(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  if (equals == std::string_view::npos) {
    return std::unexpected("not NAME=/POINTER, such as token=/data/token: " + std::string(text));
  }
  if (!is_field_name(name)) {
    return std::unexpected(
        "not a name of letters, digits and _, and none of a template's own words: " +
        std::string(name));
  }
  const std::string_view pointer = text.substr(equals + 1);
  if (!is_pointer(pointer)) {
    return std::unexpected("not a JSON pointer, such as /data/token: " + std::string(pointer));
  }
  return Extraction{.name = std::string(name), .pointer = std::string(pointer)};
}

std::expected<void, std::string> extract(std::span<const Extraction> extractions,
                                         std::string_view reply, std::span<std::string> fields) {
  if (extractions.empty()) return {};
  if (reply.size() > kReplyBytesMax) return std::unexpected("a reply above 1 MiB to take from");
  const Json json = Json::parse(reply, nullptr, false);
  if (json.is_discarded()) return std::unexpected("a reply to take from is not JSON");
  for (const Extraction& each : extractions) {
    const Json* const found = find(json, each.pointer);
    if (found == nullptr) return refuse(each, "nothing is there");
    if (found->is_structured() || found->is_null()) return refuse(each, "no text and no number");
    std::string value = found->is_string() ? found->get<std::string>() : found->dump();
    if (value.size() > MessageTemplate::kFieldBytesMax) return refuse(each, "above 16 KiB");
    fields[each.field] = std::move(value);
  }
  return {};
}

}  // namespace load
