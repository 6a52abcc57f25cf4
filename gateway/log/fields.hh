// The fields of a LogLine as they lie in a ring: its event, then each of them, until the end.
//
//     event:  length (1 byte), the event
//     field:  type (1), length of the name (1), the name, and by its type
//       kUnsigned, kSigned    8 bytes
//       kWord, kQuoted        length (2), the text; of kQuoted with one byte more than is shown, so
//                             that it is seen where it was cut
//       kNone                 nothing
//       kRemark               as kWord; its name is empty
//       kSpan                 a SpanMark; its name is empty, and no line shows it
//       kCut                  nothing, nor a name: fields behind it did not fit
//       kSaid                 as kWord, without a name: words that only a line of text has
//
// A type with kBareBit: a line of text has its value alone, as it is, without a blank before it.
//
// In the byte order of the machine: it is read by the process that wrote it. FieldReader trusts it.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "gateway/log/span_mark.hh"

namespace gateway {

enum class FieldType : std::uint8_t {
  kUnsigned,
  kSigned,
  kWord,
  kQuoted,
  kNone,
  kRemark,
  kSpan,
  kCut,
  kSaid
};
inline constexpr std::uint8_t kBareBit = 0x80;

struct LogField {
  FieldType type;
  std::string_view name;
  std::string_view text;     // of kWord, kQuoted, kRemark, kSaid
  std::uint64_t number = 0;  // of kUnsigned, and of kSigned as its two's complement
  SpanMark span = {};        // of kSpan
  bool is_bare = false;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view payload) : rest_(payload) {
    event_ = take_text(take<std::uint8_t>());
  }

  std::string_view event() const { return event_; }

  std::optional<LogField> next() {
    if (rest_.empty()) return std::nullopt;
    const auto code = take<std::uint8_t>();
    LogField field{.type = static_cast<FieldType>(code & ~kBareBit),
                   .name = {},
                   .text = {},
                   .is_bare = (code & kBareBit) != 0};
    if (field.type == FieldType::kCut) return field;
    field.name = take_text(take<std::uint8_t>());
    switch (field.type) {
      case FieldType::kUnsigned:
      case FieldType::kSigned:
        field.number = take<std::uint64_t>();
        break;
      case FieldType::kWord:
      case FieldType::kQuoted:
      case FieldType::kRemark:
      case FieldType::kSaid:
        field.text = take_text(take<std::uint16_t>());
        break;
      case FieldType::kSpan:
        field.span = take<SpanMark>();
        break;
      case FieldType::kNone:
      case FieldType::kCut:
        break;
    }
    return field;
  }

 private:
  template <class Number>
  Number take() {
    Number number;
    std::memcpy(&number, rest_.data(), sizeof number);
    rest_.remove_prefix(sizeof number);
    return number;
  }
  std::string_view take_text(std::size_t bytes) {
    const std::string_view text = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return text;
  }

  std::string_view rest_;
  std::string_view event_;
};

}  // namespace gateway
