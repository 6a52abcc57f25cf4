// What the parsers of requests and responses share: lines, field lines, the fields that decide a
// message's framing, limits and errors.
// Incremental: the caller appends what arrives to one contiguous buffer and calls parse() again
// with all of it; no byte is scanned twice. The outcome does not depend on how the bytes arrived.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "proto/bytes.hh"
#include "proto/http/field.hh"

namespace http {

struct HeadLimits {
  std::uint32_t head_bytes = 32 * 1024;   // the whole head with its empty line: 431
  std::uint32_t target_bytes = 8 * 1024;  // 414
  std::uint32_t fields = 128;             // 431
};

enum class HeadState : std::uint8_t { kMore, kComplete };

struct HeadError {
  std::uint16_t status = 400;  // what to answer: 400, 414, 431, 501, 505; of a response always 502
  std::string_view reason;     // a short text that lives for ever
  Slice largest_field;         // the name of the largest field where the head is too large
};

// More are refused: each field of the head is compared with each of them when it is forwarded.
inline constexpr std::uint32_t kConnectionOptionsMax = 64;

// The options of all Connection fields that matter to a connection's life.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};

// The part of a parsed head that requests and responses share. Complete only when its parser says
// so. Positions refer to the buffer that was given to parse(). `memory` is for its fields.
struct Head {
  std::uint32_t bytes = 0;         // of the head; what lies behind them in the buffer is not its
  std::uint8_t minor_version = 1;  // HTTP/1.minor: 0 or 1
  bool chunked = false;            // Transfer-Encoding: chunked
  ConnectionOptions connection;
  std::optional<std::uint64_t> content_length;  // at most 2^63-1
  // For how long the peer keeps a connection that is not in use: the timeout of Keep-Alive, an
  // extension that servers made common (RFC 2068 section 19.7.1.1); none where it is malformed.
  std::optional<std::uint32_t> keep_alive_seconds;
  Fields fields;

  explicit Head(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : fields(memory) {}
  void reset();
};

// Whether the peer keeps the connection open after this message, as far as its head says
// (RFC 9112 section 9.3).
inline bool keeps_alive(const Head& head) {
  if (head.connection.close) return false;
  return head.minor_version >= 1 || head.connection.keep_alive;
}

namespace detail {

using Step = std::expected<void, HeadError>;

// Cuts the buffer into lines that end in CRLF and hold no control byte but HTAB.
class LineReader {
 public:
  // The next line without its CRLF; nothing when it is not complete in the window yet. The window
  // always begins where the buffer begins.
  std::expected<std::optional<Slice>, HeadError> next(std::string_view window);
  // Where the next line begins, and how far it has been looked at.
  std::uint32_t line_start() const { return line_start_; }
  std::uint32_t scanned() const { return scanned_; }

 private:
  std::uint32_t line_start_ = 0;
  std::uint32_t scanned_ = 0;
};

// Takes a head's field lines, and checks those that decide where its body ends.
class FieldReader {
 public:
  enum class Of : std::uint8_t { kRequest, kResponse };
  FieldReader(Head& head, Of of, std::uint32_t fields_max)
      : head_(head), is_request_(of == Of::kRequest), fields_max_(fields_max) {}

  Step take(std::string_view buffer, Slice line);
  // After the last line: RFC 9112 section 6.1 to 6.3. The version must be known by now.
  Step finish();

  std::uint32_t host_count() const { return host_count_; }
  Slice host() const { return host_; }

 private:
  Step take_known(std::string_view name, std::string_view value, Slice value_slice);
  Step take_content_length(std::string_view value);
  Step take_one_content_length(std::string_view value);
  Step take_transfer_encoding(std::string_view value);
  static bool resembles_chunked(std::string_view coding);
  Step take_connection(std::string_view value);
  void take_keep_alive(std::string_view value);

  Head& head_;
  const bool is_request_;
  const std::uint32_t fields_max_;
  Slice host_;
  std::uint32_t host_count_ = 0;
  std::uint32_t connection_options_ = 0;
  bool has_transfer_encoding_ = false;
  bool has_unknown_coding_ = false;
};

// The error of a head that does not fit, naming its largest field; an unfinished line counts.
HeadError too_large(const Head& head, std::string_view window, std::uint32_t line_start,
                    std::string_view reason);

}  // namespace detail
}  // namespace http
