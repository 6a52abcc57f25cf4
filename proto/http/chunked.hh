// The chunked transfer coding (RFC 9112 section 7.1), both ways, without copying payload.
// Decoding is strict: hex digits, CRLF exact. Extensions are validated, bounded and dropped; so are
// trailers, but that they are yielded. The decoder is small, since it lives as long as a body does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "proto/bytes.hh"

namespace http {

// What a body decoder made of the front of the bytes given: so many were consumed, and of them this
// is payload or trailers, never both (a part of the caller's bytes, at the end of those consumed;
// often empty).
struct BodyPiece {
  std::size_t consumed = 0;
  proto::Bytes payload;
  // A part of the trailer section, each line with its CRLF, without the empty line at its end. All
  // parts in a row are the section, once the body is done; before, a line may still turn out bad.
  proto::Bytes trailers;
};

struct BodyError {
  std::string_view reason;  // a short text that lives for ever
};

inline constexpr std::uint32_t kChunkExtensionsBytesMax = 16 * 1024;  // of one body
inline constexpr std::uint32_t kTrailerBytesMax = 8 * 1024;
inline constexpr std::uint16_t kTrailerFieldsMax = 64;

class ChunkedDecoder {
 public:
  // Blanks behind a chunk's size: before the ";" of its extension they are valid (RFC 9112 section
  // 7.1.1), and some servers pad with them. From a client they are where two readers begin to
  // differ.
  enum class Blanks : std::uint8_t { kRefused, kBehindSizes };
  explicit ChunkedDecoder(Blanks blanks = Blanks::kRefused) : blanks_(blanks) {}

  // Consumes up to the end of the next payload or of the trailers, or all bytes; never past the
  // body's end. With bytes to read and done() not reached it consumes at least one. Not to be
  // called after an error.
  std::expected<BodyPiece, BodyError> next(proto::Bytes bytes);

  bool done() const { return state_ == State::kDone; }
  std::uint16_t trailer_fields() const { return trailer_fields_; }

 private:
  enum class State : std::uint8_t {
    kSizeStart,
    kSize,
    kBlanks,
    kExtension,
    kSizeLf,  // size [ext] CRLF
    kData,
    kDataCr,
    kDataLf,  // data CRLF
    kLineStart,
    kName,
    kValue,
    kLineLf,  // trailers
    kEndLf,
    kDone,
  };
  using Reason = std::string_view;  // what is wrong; empty: nothing

  std::expected<BodyPiece, BodyError> next_trailers(proto::Bytes bytes, std::size_t begin);
  bool is_in_trailer_line(char c) const;
  Reason take(char c);
  Reason take_size(char c);
  Reason take_extension(char c);
  Reason take_trailer(char c);

  std::uint64_t remaining_ = 0;  // the chunk's size as far as it is read; then its bytes to come
  std::uint32_t extension_bytes_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  std::uint16_t trailer_fields_ = 0;
  std::uint8_t size_digits_ = 0;
  Blanks blanks_;
  State state_ = State::kSizeStart;
};

// What goes before a chunk's payload. Precondition: size > 0, since an empty chunk ends the body.
class ChunkHeader {
 public:
  explicit ChunkHeader(std::uint64_t size);
  proto::Bytes bytes() const {
    return proto::as_bytes({text_.data() + begin_, text_.size() - begin_});
  }

 private:
  static constexpr std::uint8_t kTextBytes = 18;  // 16 digits and CRLF

  std::array<char, kTextBytes> text_;
  std::uint8_t begin_;
};

inline constexpr std::string_view kChunkEnd = "\r\n";        // goes behind a chunk's payload
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";  // ends the body, without trailers

}  // namespace http
