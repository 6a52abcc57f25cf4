#include "gateway/log/render.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>

#include "gateway/log/fields.hh"
#include "gateway/log/log.hh"
#include "gateway/log/quoted.hh"

namespace gateway {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::string_view kIdentifier = "gateway";

// As in Log: what a word should not have had does not end the line.
void append_word(std::string& to, std::string_view word) {
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    to += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
}

void append_value(std::string& to, const LogField& field) {
  switch (field.type) {
    case FieldType::kUnsigned:
      fmt::format_to(std::back_inserter(to), "{}", field.number);
      break;
    case FieldType::kSigned:
      fmt::format_to(std::back_inserter(to), "{}", static_cast<std::int64_t>(field.number));
      break;
    case FieldType::kWord:
      append_word(to, field.text);
      break;
    case FieldType::kQuoted:
      fmt::format_to(std::back_inserter(to), "{}", Quoted(field.text));
      break;
    case FieldType::kNone:
      to += '-';
      break;
    case FieldType::kSaid:
    case FieldType::kRemark:
    case FieldType::kSpan:
    case FieldType::kCut:
      break;
  }
}

void append_field(std::string& to, const LogField& field) {
  if (field.type == FieldType::kCut) {
    to += "...";
  } else if (field.type == FieldType::kRemark) {
    to += ": ";
    append_word(to, field.text);
  } else if (field.type == FieldType::kSaid) {
    append_word(to, field.text);
  } else if (field.is_bare) {
    append_value(to, field);
  } else {
    to.append(" ").append(field.name).append("=");
    append_value(to, field);
  }
}

tm broken_down(std::int64_t time_ns, bool local) {
  const std::time_t seconds = time_ns / kNanosecondsPerSecond;
  tm time{};
  local ? localtime_r(&seconds, &time) : gmtime_r(&seconds, &time);
  return time;
}

// A name in the journal: upper-case letters, digits and "_".
void append_journal_name(std::string& to, std::string_view name) {
  to += "GATEWAY_";
  for (const char c : name) {
    const bool is_small = c >= 'a' && c <= 'z';
    const bool is_usual = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    to += is_small ? static_cast<char>(c - 'a' + 'A') : is_usual ? c : '_';
  }
}

// A line with a line end in it is told by its length.
void append_journal_value(std::string& to, std::string_view value) {
  if (value.find('\n') == std::string_view::npos) {
    to.append("=").append(value).append("\n");
    return;
  }
  to += '\n';
  for (unsigned shift = 0; shift < 64; shift += 8) {
    to += static_cast<char>(static_cast<std::uint64_t>(value.size()) >> shift);
  }
  to.append(value).append("\n");
}

// syslog(3)'s numbers.
unsigned severity_of(LogLevel level) {
  constexpr std::array<unsigned, 5> kSeverities = {3, 4, 6, 7, 7};
  return kSeverities[static_cast<std::size_t>(level)];
}

}  // namespace

bool LogEntry::wants(const LogField& field) const {
  if (field.type == FieldType::kSpan) return false;
  if (record.kind != RecordKind::access || wanted == nullptr || wanted->empty()) return true;
  return field.name.empty() || field.name.starts_with(kHeaderField) ||
         std::ranges::find(*wanted, field.name) != wanted->end();
}

void append_message(std::string& to, const LogEntry& entry) {
  if (entry.record.kind == RecordKind::text) {
    to += entry.record.text;
    return;
  }
  const std::size_t begun = to.size();
  FieldReader reader(entry.record.text);
  to += reader.event();
  while (const auto field = reader.next()) {
    if (entry.wants(*field)) append_field(to, *field);
  }
  if (to.size() - begun <= kLogLineBytesMax) return;
  to.resize(begun + kLogLineBytesMax - 3);
  to += "...";
}

std::string text_of(const LogRing::Record& record) {
  std::string text;
  append_message(text, {record, {}});
  return text;
}

void append_time(std::string& to, std::int64_t time_ns) {
  const tm utc = broken_down(time_ns, false);
  fmt::format_to(std::back_inserter(to), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                 utc.tm_sec, time_ns % kNanosecondsPerSecond / 1'000'000);
}

void append_line(std::string& to, const LogEntry& entry) {
  append_time(to, entry.record.time_ns);
  to.append(" ").append(name_of(entry.record.level)).append(" ").append(entry.source).append(" ");
  append_message(to, entry);
  to += '\n';
}

void append_line(std::string& to, const LogRing::Record& record, std::string_view source) {
  append_line(to, {record, source});
}

void append_syslog(std::string& to, const LogEntry& entry, const SyslogTerms& terms) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const tm local = broken_down(entry.record.time_ns, true);
  fmt::format_to(std::back_inserter(to), "<{}>{} {:2} {:02}:{:02}:{:02} {}[{}]: ",
                 terms.facility * 8 + severity_of(entry.record.level),
                 kMonths[static_cast<std::size_t>(local.tm_mon)], local.tm_mday, local.tm_hour,
                 local.tm_min, local.tm_sec, kIdentifier, terms.pid);
  if (terms.json) return append_json(to, entry);
  to.append(entry.source).append(" ");
  append_message(to, entry);
}

void append_journal(std::string& to, const LogEntry& entry) {
  std::string value;
  append_message(value, entry);
  to += "MESSAGE";
  append_journal_value(to, value);
  fmt::format_to(std::back_inserter(to), "PRIORITY={}\nSYSLOG_IDENTIFIER={}\nGATEWAY_TIME=",
                 severity_of(entry.record.level), kIdentifier);
  append_time(to, entry.record.time_ns);
  to.append("\nGATEWAY_SOURCE").append("=").append(entry.source).append("\n");
  if (entry.record.kind == RecordKind::text) return;
  FieldReader reader(entry.record.text);
  to.append("GATEWAY_EVENT=").append(reader.event()).append("\n");
  while (const auto field = reader.next()) {
    if (field->name.empty() || field->type == FieldType::kNone || !entry.wants(*field)) continue;
    const bool has_text = field->type == FieldType::kQuoted || field->type == FieldType::kWord;
    value.clear();
    if (!has_text) append_value(value, *field);
    append_journal_name(to, field->name);
    append_journal_value(to, has_text ? field->text.substr(0, Quoted::kBytesMax) : value);
  }
}

}  // namespace gateway
