#include "proto/http/body.hh"

#include <algorithm>

namespace http {

BodyFraming request_framing(const RequestHead& head) {
  if (head.chunked) return {Framing::kChunked, 0};
  if (head.content_length) return {Framing::kLength, *head.content_length};
  return {Framing::kNone, 0};
}

// In the order of RFC 9112 section 6.3.
BodyFraming response_framing(Method request_method, const ResponseHead& head) {
  const bool is_tunnel =
      request_method == Method::kConnect && head.status >= 200 && head.status < 300;
  if (request_method == Method::kHead || head.status < 200 || head.status == 204 ||
      head.status == 304 || is_tunnel) {
    return {Framing::kNone, 0};
  }
  if (head.chunked) return {Framing::kChunked, 0};
  if (head.content_length) return {Framing::kLength, *head.content_length};
  return {Framing::kUntilClose, 0};
}

std::expected<BodyPiece, BodyError> BodyDecoder::next(proto::Bytes bytes) {
  switch (kind_) {
    case Framing::kNone:
      break;
    case Framing::kLength: {
      const std::size_t size = std::min<std::uint64_t>(remaining_, bytes.size());
      remaining_ -= size;
      return BodyPiece{.consumed = size, .payload = bytes.first(size)};
    }
    case Framing::kChunked:
      return chunked_.next(bytes);
    case Framing::kUntilClose:
      return BodyPiece{.consumed = bytes.size(), .payload = bytes};
  }
  return BodyPiece{};
}

bool BodyDecoder::done() const {
  switch (kind_) {
    case Framing::kNone:
      break;
    case Framing::kLength:
      return remaining_ == 0;
    case Framing::kChunked:
      return chunked_.done();
    case Framing::kUntilClose:
      return false;
  }
  return true;
}

}  // namespace http
