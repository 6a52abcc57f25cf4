// Where a message's body ends (RFC 9112 section 6.3), and a decoder that finds that end in a stream
// of bytes, whatever the framing.
#pragma once

#include <cstdint>
#include <expected>

#include "proto/bytes.hh"
#include "proto/http/chunked.hh"
#include "proto/http/request.hh"
#include "proto/http/response.hh"

namespace http {

enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

struct BodyFraming {
  Framing kind = Framing::kNone;
  std::uint64_t length = 0;  // of kLength; may be 0

  friend bool operator==(const BodyFraming&, const BodyFraming&) = default;
};

// Precondition: the head is complete.
BodyFraming request_framing(const RequestHead& head);
BodyFraming response_framing(Method request_method, const ResponseHead& head);

// Feed it what follows the head, until done():
//     while (!bytes.empty() && !body.done()) {
//       const auto piece = body.next(bytes);  // an error: 400 of a request, 502 of a response
//       ...piece->payload, piece->trailers...
//       bytes = bytes.subspan(piece->consumed);
//     }
class BodyDecoder {
 public:
  explicit BodyDecoder(BodyFraming framing,
                       ChunkedDecoder::Blanks blanks = ChunkedDecoder::Blanks::kRefused)
      : kind_(framing.kind), remaining_(framing.length), chunked_(blanks) {}

  // As ChunkedDecoder::next.
  std::expected<BodyPiece, BodyError> next(proto::Bytes bytes);

  bool done() const;
  // How many bytes of kLength are still to come; 0 with any other framing.
  std::uint64_t remaining() const { return kind_ == Framing::kLength ? remaining_ : 0; }
  // Whether the body is whole when the peer ends its stream here.
  bool complete_at_end_of_stream() const { return kind_ == Framing::kUntilClose || done(); }

 private:
  Framing kind_;
  std::uint64_t remaining_;  // of kLength
  ChunkedDecoder chunked_;
};
static_assert(sizeof(BodyDecoder) <= 64);

}  // namespace http
