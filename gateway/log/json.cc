// Records as JSON. By hand: a line is made of views, without a tree of objects and with no
// allocation of its own; a library's writer would take a copy of each text.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "gateway/log/fields.hh"
#include "gateway/log/quoted.hh"
#include "gateway/log/render.hh"

namespace gateway {
namespace {

constexpr char32_t kReplacement = 0xfffd;

struct CodePoint {
  char32_t value;
  std::size_t bytes;  // that it took
};

// The one at the beginning (RFC 3629); for what is none, U+FFFD for one byte. `text` is not empty.
CodePoint take_code_point(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const CodePoint none{kReplacement, 1};
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return none;
  char32_t value = first & (0xffu >> (bytes + 1));
  for (std::size_t at = 1; at < bytes; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return none;
    value = value << 6 | (byte(at) & 0x3fu);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kLeast[bytes] || value > 0x10ffff || is_surrogate) return none;
  return {value, bytes};
}

void append_escape(std::string& to, char32_t unit) {
  fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned>(unit));
}

void append_code_point(std::string& to, char32_t value) {
  if (value == '"' || value == '\\') {
    to += '\\';
    to += static_cast<char>(value);
  } else if (value >= 0x20 && value < 0x7f) {
    to += static_cast<char>(value);
  } else if (value < 0x10000) {
    append_escape(to, value);
  } else {
    append_escape(to, 0xd800 + ((value - 0x10000) >> 10));
    append_escape(to, 0xdc00 + ((value - 0x10000) & 0x3ff));
  }
}

void append_key(std::string& to, std::string_view name) {
  to.append(",\"").append(name).append("\":");
}

void append_field(std::string& to, const LogField& field) {
  switch (field.type) {
    case FieldType::kUnsigned:
      append_key(to, field.name);
      fmt::format_to(std::back_inserter(to), "{}", field.number);
      break;
    case FieldType::kSigned:
      append_key(to, field.name);
      fmt::format_to(std::back_inserter(to), "{}", static_cast<std::int64_t>(field.number));
      break;
    case FieldType::kWord:
      append_key(to, field.name);
      append_json_string(to, field.text);
      break;
    case FieldType::kQuoted:
      append_key(to, field.name);
      append_json_string(to, field.text.substr(0, Quoted::kBytesMax));
      if (field.text.size() <= Quoted::kBytesMax) break;
      to.pop_back();  // its quote
      to += "...\"";
      break;
    case FieldType::kNone:
      append_key(to, field.name);
      to += "null";
      break;
    case FieldType::kRemark:
      append_key(to, "remark");
      append_json_string(to, field.text);
      break;
    case FieldType::kSpan:
    case FieldType::kSaid:
      break;
    case FieldType::kCut:
      append_key(to, "cut");
      to += "true";
      break;
  }
}

}  // namespace

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  while (!text.empty()) {
    const CodePoint next = take_code_point(text);
    append_code_point(to, next.value);
    text.remove_prefix(next.bytes);
  }
  to += '"';
}

void append_json(std::string& to, const LogEntry& entry) {
  to += "{\"time\":\"";
  append_time(to, entry.record.time_ns);
  to.append("\",\"level\":\"").append(name_of(entry.record.level)).append("\",\"source\":");
  append_json_string(to, entry.source);
  to += ",\"msg\":";
  if (entry.record.kind == RecordKind::text) {
    append_json_string(to, entry.record.text);
  } else {
    FieldReader reader(entry.record.text);
    append_json_string(to, reader.event());
    while (const auto field = reader.next()) {
      if (entry.wants(*field)) append_field(to, *field);
    }
  }
  to += '}';
}

}  // namespace gateway
