// Response heads (RFC 9112 section 4), read as a client that passes them on to somebody else.
// Whatever is wrong with one is the upstream's fault: every error carries status 502.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "proto/bytes.hh"
#include "proto/http/field.hh"
#include "proto/http/head_parser.hh"

namespace http {

struct ResponseHead : Head {
  using Head::Head;

  std::uint16_t status = 0;  // 100 to 999; from 600 on of no known class (RFC 9110 section 15)
  Slice reason;              // may be empty, may hold bytes from 0x80

  void reset();
};

class ResponseParser {
 public:
  // Resets the head, which outlives the parser and is written to while parsing.
  explicit ResponseParser(ResponseHead& head, HeadLimits limits = {});
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // The buffer holds everything since the end of the previous message; a 1xx head is a message of
  // its own, and takes a parser of its own. Not to be called again after an error.
  std::expected<HeadState, HeadError> parse(proto::Bytes buffer);

 private:
  std::expected<HeadState, HeadError> parse_lines(proto::Bytes buffer);
  detail::Step parse_status_line(std::string_view buffer, Slice line);

  ResponseHead& head_;
  const HeadLimits limits_;
  detail::LineReader lines_;
  detail::FieldReader fields_;
  bool has_status_line_ = false;
};

}  // namespace http
