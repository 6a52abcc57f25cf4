// permessage-deflate (RFC 7692) on WebSockets of ours: what is offered, and the codecs that
// messages go and come through. A message that goes is compressed by itself, and a server is asked
// to do the same, so that a codec is held only while a message is under way. A server that keeps
// its context all the same costs an inflater for as long as the connection lives.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string_view>

#include "proto/ws/codec_pool.hh"
#include "proto/ws/extensions.hh"
#include "proto/ws/frame.hh"

namespace load {

// What is liked best comes first; the second is for servers that cannot do without their context.
inline constexpr std::string_view kDeflateOffers =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
    "client_max_window_bits, permessage-deflate; client_max_window_bits";

// What the connections of a shard share.
struct Codecs {
  static constexpr std::size_t kOutputBytes = 64 * 1024;
  static constexpr std::size_t kInputBytes = 16 * 1024;

  explicit Codecs(std::size_t memory_bytes_max) : pool(memory_bytes_max) {}

  ws::CodecPool pool;
  std::array<std::byte, kInputBytes> plain;      // a piece that is to be compressed
  std::array<std::byte, kOutputBytes> inflated;  // a piece that came: until the next one
};

// Why a message that came ends its connection.
struct InflateFault {
  std::uint16_t close_code;
  std::string_view text;
};

class Compression {
 public:
  // `agreed` is an answer to kDeflateOffers. `inflated_bytes_max`: of a message that comes.
  Compression(Codecs& codecs, const ws::Deflate& agreed, std::uint64_t inflated_bytes_max);

  Codecs& codecs() { return codecs_; }

  // Whether a message of so many bytes goes compressed; false: the agreement, or memory, says no.
  bool begin_message(std::uint64_t size_bytes);
  // Of that message; an empty piece ends it. After kDone, or kBroken, the next one may begin.
  ws::CodecStep deflate(proto::Bytes piece, proto::MutableBytes to);
  bool is_deflating() const { return static_cast<bool>(deflater_); }

  struct Inflated {
    proto::MutableBytes bytes;  // in Codecs::inflated
    bool first = false;         // of the message
    bool last = false;
    bool hungry = false;  // `came` gives no more
  };
  // Takes what it can from the front of `came`, a part of a compressed message's payload, and is to
  // be called until it is hungry, or was the last of the message. `ends`: nothing comes behind it.
  std::expected<Inflated, InflateFault> inflate(proto::Bytes& came, bool ends);

 private:
  Codecs& codecs_;
  const ws::Deflate agreed_;
  const std::uint64_t inflated_bytes_max_;
  ws::Lease<ws::Deflater> deflater_;  // while a message goes
  ws::Lease<ws::Inflater> inflater_;  // while one comes, or from the first on
  std::uint64_t inflated_bytes_ = 0;  // of the message that comes
  bool in_message_ = false;           // a piece of that was given
};

}  // namespace load
