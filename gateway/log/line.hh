// A line of the log that has fields:
//
//     LogLine(log, LogLevel::info, "server").word("pool", name).quoted("cause", why).write();
//
// What goes into the ring is the fields themselves; the log's thread makes text, JSON, or what the
// journal takes of them (render.hh). In text it is `server pool=chat cause="no route to host"`. On
// the stack, nothing is allocated, and what is not wanted at its level costs a comparison. A field
// that does not fit any more is left out, and so are those behind it; the line says that it was
// cut.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/log/level.hh"
#include "gateway/log/log.hh"
#include "gateway/log/span_mark.hh"

namespace gateway {

// `access`: a line that may go to a file of its own ([log] access_file). `traced`: that has a span,
// too, and is one even where it is no line. `span`: no line, but a span.
enum class LineOf : std::uint8_t { anything, access, traced, span };

class LogLine {
 public:
  // `event` and the fields' names are literals of ours: without blanks, quotes and "=", but for
  // blanks in the event. Each is shorter than 256 bytes.
  LogLine(Log log, LogLevel level, std::string_view event, LineOf of = LineOf::anything);
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;

  // Else all that follows does nothing.
  bool is_wanted() const { return wanted_; }

  template <std::integral Number>
  LogLine& number(std::string_view name, Number value) {
    if constexpr (std::signed_integral<Number>) return add_signed(name, value);
    return add_unsigned(name, value);
  }
  // A name of ours, an address: what has neither blanks nor quotes.
  LogLine& word(std::string_view name, std::string_view value);
  // Any text, of peers, too: see Quoted.
  LogLine& quoted(std::string_view name, std::string_view value);
  // There is none: "-", or null.
  LogLine& none(std::string_view name);
  // Words behind all fields: `...: the server sent more than its answer`.
  LogLine& remark(std::string_view words);
  // Of what is traced: before anything that may be too long.
  LogLine& span(const SpanMark& mark);
  // For sentences. Words of ours between two fields, blanks included, which nobody needs who has
  // the fields: text alone has them.
  LogLine& said(std::string_view words);
  // The next field's name and the blank before it are left out of text, where said() has both.
  LogLine& bare() {
    next_is_bare_ = true;
    return *this;
  }
  void write();

 private:
  LogLine& add_signed(std::string_view name, std::int64_t value);
  LogLine& add_unsigned(std::string_view name, std::uint64_t value);
  LogLine& add_text(std::uint8_t type, std::string_view name, std::string_view value);
  bool begin_field(std::uint8_t type, std::string_view name, std::size_t value_bytes);
  void append(const void* bytes, std::size_t count);

  Log log_;
  const LogLevel level_;
  const RecordKind kind_;
  const bool wanted_;
  bool cut_ = false;
  bool next_is_bare_ = false;
  std::size_t size_ = 0;
  std::array<char, kLogLineBytesMax> bytes_;
};

}  // namespace gateway
