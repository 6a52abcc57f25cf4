#include "gateway/log/line.hh"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/log/fields.hh"
#include "gateway/log/quoted.hh"

namespace gateway {
namespace {

constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kCutBytes = 1;        // which there is always room for
constexpr std::size_t kHeaderBytes = 2;     // type and length of the name
constexpr std::size_t kLengthBytes = 2;     // of a text
constexpr std::size_t kTextBytesLeast = 8;  // a shorter rest of one says nothing

constexpr std::uint8_t code_of(FieldType type) {
  return static_cast<std::uint8_t>(type);
}

RecordKind kind_of(const Log& log, LogLevel level, LineOf of) {
  if (of == LineOf::anything) return RecordKind::fields;
  const bool is_line = of != LineOf::span && log.wants_access(level);
  return is_line || of == LineOf::access ? RecordKind::access : RecordKind::span;
}

bool is_for(const Log& log, LogLevel level, LineOf of) {
  if (of == LineOf::anything) return log.wants(level);
  return of != LineOf::access || log.wants_access(level);
}

}  // namespace

LogLine::LogLine(Log log, LogLevel level, std::string_view event, LineOf of)
    : log_(log), level_(level), kind_(kind_of(log, level, of)), wanted_(is_for(log, level, of)) {
  if (!wanted_) return;
  event = event.substr(0, kNameBytesMax);
  bytes_[size_++] = static_cast<char>(event.size());
  append(event.data(), event.size());
}

void LogLine::append(const void* bytes, std::size_t count) {
  std::memcpy(bytes_.data() + size_, bytes, count);
  size_ += count;
}

// False: nothing of it is to be written.
bool LogLine::begin_field(std::uint8_t type, std::string_view name, std::size_t value_bytes) {
  if (!wanted_ || cut_) return false;
  if (std::exchange(next_is_bare_, false)) type |= kBareBit;
  name = name.substr(0, kNameBytesMax);
  if (size_ + kHeaderBytes + name.size() + value_bytes + kCutBytes > bytes_.size()) {
    cut_ = true;
    return false;
  }
  bytes_[size_++] = static_cast<char>(type);
  bytes_[size_++] = static_cast<char>(name.size());
  append(name.data(), name.size());
  return true;
}

LogLine& LogLine::add_unsigned(std::string_view name, std::uint64_t value) {
  if (begin_field(code_of(FieldType::kUnsigned), name, sizeof value)) append(&value, sizeof value);
  return *this;
}

LogLine& LogLine::add_signed(std::string_view name, std::int64_t value) {
  if (begin_field(code_of(FieldType::kSigned), name, sizeof value)) append(&value, sizeof value);
  return *this;
}

LogLine& LogLine::add_text(std::uint8_t type, std::string_view name, std::string_view value) {
  const std::size_t least = std::min(value.size(), kTextBytesLeast);
  if (!begin_field(type, name, kLengthBytes + least)) return *this;
  const std::size_t room = bytes_.size() - size_ - kLengthBytes - kCutBytes;
  const std::string_view kept = value.substr(0, std::min<std::size_t>(room, 0xffff));
  const auto length = static_cast<std::uint16_t>(kept.size());
  append(&length, sizeof length);
  append(kept.data(), kept.size());
  cut_ = kept.size() < value.size();
  return *this;
}

LogLine& LogLine::word(std::string_view name, std::string_view value) {
  return add_text(code_of(FieldType::kWord), name, value);
}

LogLine& LogLine::quoted(std::string_view name, std::string_view value) {
  // The one byte more shows that it was cut.
  return add_text(code_of(FieldType::kQuoted), name, value.substr(0, Quoted::kBytesMax + 1));
}

LogLine& LogLine::none(std::string_view name) {
  begin_field(code_of(FieldType::kNone), name, 0);
  return *this;
}

LogLine& LogLine::remark(std::string_view words) {
  return add_text(code_of(FieldType::kRemark), "", words);
}

LogLine& LogLine::span(const SpanMark& mark) {
  if (begin_field(code_of(FieldType::kSpan), "", sizeof mark)) append(&mark, sizeof mark);
  return *this;
}

LogLine& LogLine::said(std::string_view words) {
  return add_text(code_of(FieldType::kSaid), "", words);
}

void LogLine::write() {
  if (!wanted_) return;
  if (cut_) bytes_[size_++] = static_cast<char>(FieldType::kCut);
  log_.append_fields(level_, {bytes_.data(), size_}, kind_);
}

}  // namespace gateway
