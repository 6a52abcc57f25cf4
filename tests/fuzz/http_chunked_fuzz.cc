// Hostile chunked bodies: the first byte says in which parts the rest arrives. What was decoded,
// payload and trailers, is encoded anew and must come back as it was.
#include <algorithm>
#include <cstdint>
#include <string>

#include "proto/http/chunked.hh"
#include "tests/fuzz/require.hh"

namespace {

using fuzz::require;

struct Decoded {
  std::string payload;
  std::string trailers;
  std::string error;
  std::size_t consumed = 0;
  bool done = false;

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

bool is_end_of(proto::Bytes consumed, proto::Bytes part) {
  return part.empty() || (part.size() <= consumed.size() &&
                          part.data() + part.size() == consumed.data() + consumed.size());
}

Decoded decode(proto::Bytes input, std::size_t cut) {
  http::ChunkedDecoder decoder;
  Decoded decoded;
  while (decoded.consumed < input.size() && !decoder.done()) {
    const std::size_t part_end = std::min(input.size(), (decoded.consumed / cut + 1) * cut);
    const proto::Bytes part = input.subspan(decoded.consumed, part_end - decoded.consumed);
    const auto piece = decoder.next(part);
    if (!piece) {
      decoded.error = piece.error().reason;
      decoded.consumed = 0;  // of an error both depend on the cuts
      decoded.trailers.clear();
      return decoded;
    }
    require(piece->consumed > 0 && piece->consumed <= part.size(), "it advances within the part");
    require(piece->payload.empty() || piece->trailers.empty(), "payload or trailers");
    require(is_end_of(part.first(piece->consumed), piece->payload), "payload is the consumed end");
    require(is_end_of(part.first(piece->consumed), piece->trailers), "trailers are, too");
    decoded.payload += proto::as_text(piece->payload);
    decoded.trailers += proto::as_text(piece->trailers);
    decoded.consumed += piece->consumed;
  }
  decoded.done = decoder.done();
  return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Decoded whole = decode(proto::as_bytes(input), input.size() + 1);
  require(whole == decode(proto::as_bytes(input), data[0] + 1u), "the cuts change nothing");
  require(!whole.done || input.substr(0, whole.consumed).ends_with("\r\n"), "it ends with a line");

  std::string encoded;
  if (!whole.payload.empty()) {
    const http::ChunkHeader header(whole.payload.size());
    encoded += proto::as_text(header.bytes());
    encoded += whole.payload;
    encoded += http::kChunkEnd;
  }
  const std::string_view trailers = whole.done ? std::string_view(whole.trailers) : "";
  require(trailers.empty() || trailers.ends_with("\r\n"), "trailers are whole lines");
  encoded += http::kLastChunk.substr(0, 3);
  encoded += trailers;
  encoded += http::kLastChunk.substr(3);
  const Decoded again = decode(proto::as_bytes(encoded), data[0] + 1u);
  require(again.done && again.payload == whole.payload && again.trailers == trailers &&
              again.consumed == encoded.size(),
          "what is encoded is read back");
  return 0;
}
