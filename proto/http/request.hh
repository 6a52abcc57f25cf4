// Request heads (RFC 9112 section 3), read as a server that trusts nobody: what two readers could
// understand in two ways is refused.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "proto/bytes.hh"
#include "proto/http/field.hh"
#include "proto/http/head_parser.hh"

namespace http {

enum class Method : std::uint8_t {
  kOther,
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kConnect,
  kOptions,
  kTrace,
  kPatch,
};
Method method_of(std::string_view text);  // methods are case-sensitive (RFC 9110 section 9.1)

// RFC 9112 section 3.2.
enum class TargetForm : std::uint8_t { kOrigin, kAbsolute, kAuthority, kAsterisk };

struct RequestHead : Head {
  using Head::Head;

  Method method = Method::kOther;
  TargetForm form = TargetForm::kOrigin;
  Slice method_text;
  Slice target;     // as it was sent
  Slice path;       // not normalised; "*" in asterisk-form; empty: stands for "/" (absolute-form),
                    // or there is none (authority-form)
  Slice query;      // with its "?"; empty if there is none
  Slice authority;  // host[:port], valid: of the target (absolute-form, authority-form), else of
                    // Host; empty only with HTTP/1.0 and no Host

  void reset();
};

class RequestParser {
 public:
  // Resets the head, which outlives the parser and is written to while parsing.
  explicit RequestParser(RequestHead& head, HeadLimits limits = {});
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // The buffer holds everything since the end of the previous message. Not to be called again after
  // an error. When complete, head.bytes tells where the body begins.
  std::expected<HeadState, HeadError> parse(proto::Bytes buffer);

 private:
  detail::Step parse_request_line(std::string_view buffer, Slice line);
  detail::Step parse_target(std::string_view buffer);
  detail::Step parse_absolute_form(std::string_view buffer, std::size_t scheme_bytes);
  void set_path(std::string_view buffer, std::size_t path_at);
  detail::Step finish(std::string_view buffer);
  std::size_t window_max() const;
  HeadError request_line_too_long(std::string_view window) const;

  RequestHead& head_;
  const HeadLimits limits_;
  detail::LineReader lines_;
  detail::FieldReader fields_;
  std::uint8_t leading_empty_lines_ = 0;
  bool has_request_line_ = false;
};

}  // namespace http
