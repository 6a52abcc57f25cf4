// The WebSocket frame header (RFC 6455 section 5.2): its rules, its reader and its writer.
//
//     byte 0: FIN | RSV1 RSV2 RSV3 | opcode(4)     byte 1: MASK | length(7)
//     then, by that length: nothing (0-125), 2 bytes (126) or 8 bytes (127); then 4 bytes of mask
//     key
//
// Every rule that a header alone can break is checked in check_header, and nowhere else. What a
// control frame's payload can break is in close.hh. Nothing here allocates or keeps a view of what
// it was given.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proto/bytes.hh"

namespace ws {

using proto::Bytes;
using proto::MutableBytes;

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

// Who sends the frames: a client masks all of them, a server none (section 5.1).
enum class Sender : std::uint8_t { kClient, kServer };

// Reserved bits as they stand in byte 0.
constexpr std::uint8_t kRsv1 = 0x40;
constexpr std::uint8_t kRsv2 = 0x20;
constexpr std::uint8_t kRsv3 = 0x10;
constexpr std::uint8_t kAnyRsv = kRsv1 | kRsv2 | kRsv3;

constexpr std::size_t kHeaderBytesMax = 14;
constexpr std::size_t kControlPayloadBytesMax = 125;                        // section 5.5
constexpr std::size_t kControlFrameBytesMax = 6 + kControlPayloadBytesMax;  // masked
constexpr std::uint64_t kPayloadBytesMax = 0x7fff'ffff'ffff'ffff;           // section 5.2: 63 bits

// What a peer did wrong.
enum class Violation : std::uint8_t {
  kReservedBit,
  kReservedOpcode,
  kFragmentedControl,
  kUnexpectedContinuation,
  kMissingContinuation,
  kUnmaskedFrame,
  kMaskedFrame,
  kLongControl,
  kLengthNotMinimal,
  kLengthTooLarge,
  kClosePayloadLength,
  kCloseCode,
  kCloseReason,
  // What scanner.hh looks at, beyond single headers and control frames:
  kInvalidUtf8,
  kFrameTooLarge,
  kMessageTooLarge,
  // What only a message that is inflated shows:
  kDeflateData,
  kCompressionRatio,
};

// The close code for the peer that did it (section 7.4.1), a short text for it and for the log, and
// the section of RFC 6455 that it is against, such as "5.2", or of another one, such as
// "rfc7692:7.2".
std::uint16_t close_code(Violation violation);
std::string_view describe(Violation violation);
std::string_view section_of(Violation violation);

using MaskKey = std::array<std::byte, 4>;

struct FrameHeader {
  bool fin = true;
  std::uint8_t rsv = 0;  // kRsv1 | kRsv2 | kRsv3
  Opcode opcode = Opcode::kBinary;
  bool masked = false;
  MaskKey mask_key = {};
  std::uint64_t payload_bytes = 0;  // at most kPayloadBytesMax

  bool is_control() const { return (static_cast<std::uint8_t>(opcode) & 8) != 0; }
  bool operator==(const FrameHeader&) const = default;
};

// What decides, beside its own bytes, whether a header is valid.
struct HeaderRules {
  Sender sender = Sender::kClient;
  // Bits that a negotiated extension gives a meaning. They are permitted on the first frame of a
  // message only, which is where permessage-deflate has its bit (RFC 7692 section 6); kAnyRsv, on
  // any data frame: what an unknown extension does with them is its affair.
  std::uint8_t rsv_allowed = 0;
  bool message_open = false;  // a data frame without FIN came, and its continuation has not
  // Only what has to hold for a header to have one meaning: any bits, opcodes and forms of the
  // length pass, and the mask bit says whether there is a key.
  bool lax = false;
};

// What the rules say of a header, and its extent: all that a relay needs of most frames.
struct HeaderCheck {
  enum class State : std::uint8_t { kComplete, kIncomplete, kViolation };

  State state = State::kIncomplete;
  Violation violation = {};         // only with kViolation
  std::uint8_t header_bytes = 0;    // only with kComplete, like the next
  std::uint64_t payload_bytes = 0;  // at most kPayloadBytesMax
};

// Checks the header that `bytes` begins with. A violation is told as soon as the byte that shows it
// is there.
HeaderCheck check_header(Bytes bytes, const HeaderRules& rules);

// Its extent under lax rules, whatever else they say.
HeaderCheck measure_header(Bytes bytes);

struct ParsedHeader {
  using State = HeaderCheck::State;

  State state = State::kIncomplete;
  Violation violation = {};       // only with kViolation
  std::uint8_t header_bytes = 0;  // only with kComplete, like `header`
  FrameHeader header = {};
};

// The same, and reads it.
ParsedHeader parse_header(Bytes bytes, const HeaderRules& rules);

struct EncodedHeader {
  std::array<std::byte, kHeaderBytesMax> storage;
  std::uint8_t size;

  Bytes bytes() const { return Bytes(storage).first(size); }
};

// Writes the shortest form. Precondition: header.payload_bytes <= kPayloadBytesMax.
EncodedHeader encode_header(const FrameHeader& header);

// Masks or unmasks `payload` in place (section 5.3); its first byte is byte `offset` of the frame's
// payload.
void apply_mask(MutableBytes payload, const MaskKey& key, std::uint64_t offset = 0);

// A key as one word: its bytes in their order in memory, from payload byte `offset` on.
inline std::uint32_t turned_mask_word(std::uint32_t word, std::uint64_t offset) {
  static_assert(std::endian::native == std::endian::little);
  return std::rotr(word, static_cast<int>(offset % sizeof(MaskKey) * 8));
}

// Precondition: four bytes, a key.
inline std::uint32_t mask_word(const std::byte* key) {
  std::uint32_t word;
  std::memcpy(&word, key, sizeof word);
  return word;
}

// The rest of this file is check_header, inline because a relay runs it once per frame.

namespace detail {

constexpr HeaderCheck violation(Violation violation) {
  return {.state = HeaderCheck::State::kViolation, .violation = violation};
}

inline std::uint64_t big_endian(const std::byte* bytes, std::size_t size) {
  if (size == 2) {
    std::uint16_t value;
    std::memcpy(&value, bytes, sizeof value);
    return __builtin_bswap16(value);
  }
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return __builtin_bswap64(value);
}

}  // namespace detail

inline HeaderCheck check_header(Bytes bytes, const HeaderRules& rules) {
  constexpr unsigned kKnownOpcodes = 0b0000'0111'0000'0111;  // section 5.2
  if (bytes.empty()) return {};
  if (rules.lax) return measure_header(bytes);

  const auto first = std::to_integer<unsigned>(bytes[0]);
  const unsigned opcode = first & 0x0f;
  const bool fin = (first & 0x80) != 0;
  const bool control = (opcode & 8) != 0;
  const bool starts_message = !control && opcode != 0;

  const bool takes_rsv = starts_message || (!control && rules.rsv_allowed == kAnyRsv);
  const unsigned rsv_allowed = takes_rsv ? rules.rsv_allowed : 0;
  if ((first & 0x70 & ~rsv_allowed) != 0) return detail::violation(Violation::kReservedBit);
  if ((kKnownOpcodes >> opcode & 1) == 0) return detail::violation(Violation::kReservedOpcode);
  if (control) {
    if (!fin) return detail::violation(Violation::kFragmentedControl);  // section 5.5
  } else if (starts_message == rules.message_open) {                    // section 5.4
    return detail::violation(starts_message ? Violation::kMissingContinuation
                                            : Violation::kUnexpectedContinuation);
  }
  if (bytes.size() < 2) return {};

  const auto second = std::to_integer<unsigned>(bytes[1]);
  const bool masked = (second & 0x80) != 0;
  if (masked != (rules.sender == Sender::kClient)) {  // section 5.1
    return detail::violation(masked ? Violation::kMaskedFrame : Violation::kUnmaskedFrame);
  }
  std::uint64_t payload_bytes = second & 0x7f;
  std::size_t header_bytes = 2;
  if (payload_bytes > kControlPayloadBytesMax) {
    if (control) return detail::violation(Violation::kLongControl);  // section 5.5
    const std::size_t length_bytes = payload_bytes == 126 ? 2 : 8;
    header_bytes += length_bytes;
    if (bytes.size() < header_bytes) return {};
    payload_bytes = detail::big_endian(bytes.data() + 2, length_bytes);
    // Section 5.2: the minimal number of bytes, and the most significant bit 0.
    if (payload_bytes <= (length_bytes == 2 ? 125 : 0xffff)) {
      return detail::violation(Violation::kLengthNotMinimal);
    }
    if (payload_bytes > kPayloadBytesMax) return detail::violation(Violation::kLengthTooLarge);
  }
  if (masked) header_bytes += sizeof(MaskKey);
  if (bytes.size() < header_bytes) return {};
  return {.state = HeaderCheck::State::kComplete,
          .header_bytes = static_cast<std::uint8_t>(header_bytes),
          .payload_bytes = payload_bytes};
}

}  // namespace ws
