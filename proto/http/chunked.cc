#include "proto/http/chunked.hh"

#include <algorithm>
#include <limits>

#include "proto/http/syntax.hh"

namespace http {
namespace {

constexpr std::uint8_t kSizeDigitsMax = 16;
constexpr std::uint64_t kChunkSizeMax = std::numeric_limits<std::int64_t>::max();

bool is_text_byte(char c) {
  return is_text({&c, 1});
}

}  // namespace

std::expected<BodyPiece, BodyError> ChunkedDecoder::next(proto::Bytes bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && !done()) {
    if (state_ == State::kData) {
      const std::size_t size = std::min<std::uint64_t>(remaining_, bytes.size() - at);
      remaining_ -= size;
      if (remaining_ == 0) state_ = State::kDataCr;
      return BodyPiece{.consumed = at + size, .payload = bytes.subspan(at, size)};
    }
    const char c = static_cast<char>(bytes[at]);
    if (is_in_trailer_line(c)) return next_trailers(bytes, at);
    const Reason wrong = take(c);
    if (!wrong.empty()) return std::unexpected(BodyError{wrong});
    ++at;
  }
  return BodyPiece{.consumed = at};
}

// As many bytes of trailer lines as there are from `begin` on.
std::expected<BodyPiece, BodyError> ChunkedDecoder::next_trailers(proto::Bytes bytes,
                                                                  std::size_t begin) {
  std::size_t at = begin;
  while (at < bytes.size() && is_in_trailer_line(static_cast<char>(bytes[at]))) {
    const Reason wrong = take_trailer(static_cast<char>(bytes[at]));
    if (!wrong.empty()) return std::unexpected(BodyError{wrong});
    ++at;
  }
  return BodyPiece{.consumed = at, .trailers = bytes.subspan(begin, at - begin)};
}

// Whether the next byte belongs to a line of the trailers, and not to the empty line behind them.
bool ChunkedDecoder::is_in_trailer_line(char c) const {
  switch (state_) {
    case State::kLineStart:
      return c != '\r';
    case State::kName:
    case State::kValue:
    case State::kLineLf:
      return true;
    default:
      return false;
  }
}

ChunkedDecoder::Reason ChunkedDecoder::take(char c) {
  switch (state_) {
    case State::kSizeStart:
    case State::kSize:
      return take_size(c);
    case State::kBlanks:
    case State::kExtension:
      return take_extension(c);
    case State::kSizeLf:
      if (c != '\n') return "chunk size not ended by CRLF";
      state_ = remaining_ > 0 ? State::kData : State::kLineStart;
      return {};
    case State::kDataCr:
      if (c != '\r') return "chunk not ended by CRLF";
      state_ = State::kDataLf;
      return {};
    case State::kDataLf:
      if (c != '\n') return "chunk not ended by CRLF";
      state_ = State::kSizeStart;
      size_digits_ = 0;
      return {};
    case State::kData:
    case State::kDone:
      return {};  // next() never comes here in these
    case State::kLineStart:
    case State::kName:
    case State::kValue:
    case State::kLineLf:
    case State::kEndLf:
      return take_trailer(c);
  }
  return {};
}

// 1*HEXDIG, then ";" or CR (RFC 9112 section 7.1).
ChunkedDecoder::Reason ChunkedDecoder::take_size(char c) {
  if (const auto digit = hex_value(c)) {
    if (size_digits_ == kSizeDigitsMax) return "chunk size out of range";
    remaining_ = remaining_ * 16 + *digit;
    if (remaining_ > kChunkSizeMax) return "chunk size out of range";
    ++size_digits_;
    state_ = State::kSize;
    return {};
  }
  if (state_ == State::kSizeStart) return "chunk without a size";
  if (c == '\r') {
    state_ = State::kSizeLf;
  } else if (c == ';') {
    state_ = State::kExtension;
  } else if (blanks_ == Blanks::kBehindSizes && is_whitespace(c)) {
    state_ = State::kBlanks;
    return take_extension(c);
  } else {
    return "invalid byte in a chunk size";
  }
  return {};
}

ChunkedDecoder::Reason ChunkedDecoder::take_extension(char c) {
  if (c == '\r') {
    state_ = State::kSizeLf;
    return {};
  }
  if (state_ == State::kBlanks && c == ';') {
    state_ = State::kExtension;
  } else if (state_ == State::kBlanks && !is_whitespace(c)) {
    return "invalid byte in a chunk size";
  } else if (!is_text_byte(c)) {
    return "control byte in a chunk extension";
  }
  return ++extension_bytes_ > kChunkExtensionsBytesMax ? "chunk extensions too large" : "";
}

// Field lines as in a head (RFC 9112 section 7.1.2).
ChunkedDecoder::Reason ChunkedDecoder::take_trailer(char c) {
  if (++trailer_bytes_ > kTrailerBytesMax) return "trailers too large";
  switch (state_) {
    case State::kLineStart:
      if (c == '\r') {
        state_ = State::kEndLf;
      } else if (!kTokenBytes.has(c)) {
        return "invalid byte in a trailer's name";
      } else if (++trailer_fields_ > kTrailerFieldsMax) {
        return "too many trailers";
      } else {
        state_ = State::kName;
      }
      return {};
    case State::kName:
      if (c == ':') {
        state_ = State::kValue;
      } else if (!kTokenBytes.has(c)) {
        return "invalid byte in a trailer's name";
      }
      return {};
    case State::kValue:
      if (c == '\r') {
        state_ = State::kLineLf;
      } else if (!is_text_byte(c)) {
        return "control byte in a trailer";
      }
      return {};
    case State::kLineLf:
      if (c != '\n') return "trailer not ended by CRLF";
      state_ = State::kLineStart;
      return {};
    default:
      if (c != '\n') return "body not ended by CRLF";
      state_ = State::kDone;
      return {};
  }
}

ChunkHeader::ChunkHeader(std::uint64_t size) : begin_(kTextBytes - 2) {
  text_[kTextBytes - 2] = '\r';
  text_[kTextBytes - 1] = '\n';
  do {
    text_[--begin_] = "0123456789abcdef"[size & 15];
    size >>= 4;
  } while (size != 0);
}

}  // namespace http
