#include "tools/load/reply_id.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace load {
namespace {

// Digits that stand for what a template replaces, so that what it makes can be read as JSON.
constexpr std::uint64_t kMarkerFirst = 900'000'001;
constexpr std::size_t kPlaceDigits = 6;

struct Skeleton {
  std::string json;
  std::string marker;              // a word's place among `words` follows
  std::vector<std::string> words;  // "{seq}" and so on
};

// A text has fewer parts than there are numbers.
std::string unused_marker(std::string_view text) {
  std::uint64_t marker = kMarkerFirst;
  while (text.contains(std::to_string(marker))) ++marker;
  return std::to_string(marker);
}

Skeleton skeleton_of(std::string_view text) {
  Skeleton skeleton{.json = {}, .marker = unused_marker(text), .words = {}};
  while (!text.empty()) {
    const std::size_t brace = std::min(text.find_first_of("{}"), text.size());
    skeleton.json += text.substr(0, brace);
    text.remove_prefix(brace);
    if (text.empty()) break;
    if (text.size() > 1 && text[1] == text[0]) {
      skeleton.json += text[0];
      text.remove_prefix(2);
      continue;
    }
    const std::size_t end = text.find('}') + 1;
    skeleton.json += fmt::format("{}{:0{}}", skeleton.marker, skeleton.words.size(), kPlaceDigits);
    skeleton.words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return skeleton;
}

// A part of what the skeleton says, as a template again.
std::string template_of(std::string_view part, const Skeleton& skeleton) {
  std::string text;
  while (!part.empty()) {
    if (part.starts_with(skeleton.marker)) {
      part.remove_prefix(skeleton.marker.size());
      text += skeleton.words[std::stoul(std::string(part.substr(0, kPlaceDigits)))];
      part.remove_prefix(std::min(kPlaceDigits, part.size()));
      continue;
    }
    const char c = part.front();
    text.append(c == '{' || c == '}' ? 2 : 1, c);
    part.remove_prefix(1);
  }
  return text;
}

}  // namespace

std::expected<MessageTemplate, std::string> id_form(std::string_view text,
                                                    const JsonPointer& pointer,
                                                    std::span<const std::string> fields) {
  const Skeleton skeleton = skeleton_of(text);
  JsonScalar id;
  const bool is_json = find_scalars(skeleton.json, {&pointer, 1}, {&id, 1});
  const bool has_id = is_json && id.kind != JsonScalar::Kind::kAbsent;
  const std::string form = has_id ? template_of(id.text, skeleton) : "{seq}";
  auto parsed = MessageTemplate::parse(form, fields);
  if (!parsed) return std::unexpected(parsed.error());
  const bool numbered = std::ranges::find(skeleton.words, "{seq}") != skeleton.words.end();
  const bool found = has_id ? parsed->has_number() : numbered;
  if (!found) {
    return std::unexpected(fmt::format(
        "its id at {} has no {{seq}}, which tells requests apart: write it there, such as "
        "'{{{{\"id\":{{seq}}}}}}' or \"{{conn}}-{{seq}}\"",
        pointer.text().empty() ? "its beginning" : pointer.text()));
  }
  if (!parsed->can_match()) {
    return std::unexpected(fmt::format("its id is {}, and where a value in it ends is not clear: "
                                       "put a character that is no digit between them",
                                       form));
  }
  return parsed;
}

std::size_t write_request(std::uint64_t number, std::size_t size_bytes, proto::MutableBytes to) {
  constexpr std::string_view kBehind = R"("]})";
  std::array<char, kRequestBytesMin> front;
  const auto end = fmt::format_to_n(front.data(), front.size(),
                                    R"({{"id":{},"method":"echo","params":[")", number);
  std::memcpy(to.data(), front.data(), end.size);
  for (std::size_t i = end.size; i + kBehind.size() < size_bytes; ++i) {
    to[i] = static_cast<std::byte>('a' + (number + i) % 26);
  }
  std::memcpy(to.data() + size_bytes - kBehind.size(), kBehind.data(), kBehind.size());
  return size_bytes;
}

}  // namespace load
