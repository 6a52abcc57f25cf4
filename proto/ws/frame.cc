// What frame.hh does not need inline: the table of violations, the header's fields and its writer,
// the mask.
#include "proto/ws/frame.hh"

#include <cassert>

namespace ws {

namespace {

struct ViolationText {
  std::uint16_t close_code;
  std::string_view section;
  std::string_view text;
};

ViolationText text_of(Violation violation) {
  switch (violation) {
    case Violation::kReservedBit:
      return {1002, "5.2", "reserved bit set"};
    case Violation::kReservedOpcode:
      return {1002, "5.2", "reserved opcode"};
    case Violation::kFragmentedControl:
      return {1002, "5.5", "fragmented control frame"};
    case Violation::kUnexpectedContinuation:
      return {1002, "5.4", "continuation without a message"};
    case Violation::kMissingContinuation:
      return {1002, "5.4", "new message inside a fragmented one"};
    case Violation::kUnmaskedFrame:
      return {1002, "5.1", "unmasked frame from a client"};
    case Violation::kMaskedFrame:
      return {1002, "5.1", "masked frame from a server"};
    case Violation::kLongControl:
      return {1002, "5.5", "control frame longer than 125 bytes"};
    case Violation::kLengthNotMinimal:
      return {1002, "5.2", "length not in its shortest form"};
    case Violation::kLengthTooLarge:
      return {1002, "5.2", "length above 63 bits"};
    case Violation::kClosePayloadLength:
      return {1002, "5.5.1", "close payload of one byte"};
    case Violation::kCloseCode:
      return {1002, "7.4", "invalid close code"};
    case Violation::kCloseReason:
      return {1007, "5.5.1", "close reason is not UTF-8"};
    case Violation::kInvalidUtf8:
      return {1007, "8.1", "text is not UTF-8"};
    case Violation::kFrameTooLarge:
      return {1009, "10.4", "frame too large"};
    case Violation::kMessageTooLarge:
      return {1009, "10.4", "message too large"};
    case Violation::kDeflateData:
      return {1007, "rfc7692:7.2.2", "compressed data is not DEFLATE"};
    case Violation::kCompressionRatio:
      return {1008, "rfc7692:8", "message compressed too far"};
  }
  __builtin_unreachable();
}

}  // namespace

std::uint16_t close_code(Violation violation) {
  return text_of(violation).close_code;
}

std::string_view describe(Violation violation) {
  return text_of(violation).text;
}

std::string_view section_of(Violation violation) {
  return text_of(violation).section;
}

HeaderCheck measure_header(Bytes bytes) {
  if (bytes.size() < 2) return {};
  const auto second = std::to_integer<unsigned>(bytes[1]);
  std::uint64_t payload_bytes = second & 0x7f;
  std::size_t header_bytes = 2;
  if (payload_bytes > kControlPayloadBytesMax) {
    const std::size_t length_bytes = payload_bytes == 126 ? 2 : 8;
    header_bytes += length_bytes;
    if (bytes.size() < header_bytes) return {};
    payload_bytes = detail::big_endian(bytes.data() + 2, length_bytes);
    if (payload_bytes > kPayloadBytesMax) return detail::violation(Violation::kLengthTooLarge);
  }
  if ((second & 0x80) != 0) header_bytes += sizeof(MaskKey);
  if (bytes.size() < header_bytes) return {};
  return {.state = HeaderCheck::State::kComplete,
          .header_bytes = static_cast<std::uint8_t>(header_bytes),
          .payload_bytes = payload_bytes};
}

ParsedHeader parse_header(Bytes bytes, const HeaderRules& rules) {
  const HeaderCheck check = check_header(bytes, rules);
  ParsedHeader parsed = {.state = check.state, .violation = check.violation};
  if (check.state != HeaderCheck::State::kComplete) return parsed;
  const auto first = std::to_integer<std::uint8_t>(bytes[0]);
  parsed.header_bytes = check.header_bytes;
  parsed.header.fin = (first & 0x80) != 0;
  parsed.header.rsv = first & (kRsv1 | kRsv2 | kRsv3);
  parsed.header.opcode = static_cast<Opcode>(first & 0x0f);
  parsed.header.payload_bytes = check.payload_bytes;
  if ((bytes[1] & std::byte{0x80}) != std::byte{0}) {
    parsed.header.masked = true;
    std::memcpy(parsed.header.mask_key.data(), bytes.data() + check.header_bytes - sizeof(MaskKey),
                sizeof(MaskKey));
  }
  return parsed;
}

EncodedHeader encode_header(const FrameHeader& header) {
  assert(header.payload_bytes <= kPayloadBytesMax);
  EncodedHeader encoded = {};
  const unsigned fin = header.fin ? 0x80 : 0;
  const unsigned mask = header.masked ? 0x80 : 0;
  const std::size_t length_bytes =
      header.payload_bytes <= 125 ? 0 : (header.payload_bytes <= 0xffff ? 2 : 8);
  const std::uint64_t length = length_bytes == 0   ? header.payload_bytes
                               : length_bytes == 2 ? 126
                                                   : 127;
  const unsigned opcode = static_cast<std::uint8_t>(header.opcode);
  encoded.storage[0] = static_cast<std::byte>(fin | header.rsv | opcode);
  encoded.storage[1] = static_cast<std::byte>(mask | length);
  std::size_t size = 2;
  for (std::size_t left = length_bytes; left > 0; --left) {
    encoded.storage[size++] = static_cast<std::byte>(header.payload_bytes >> 8 * (left - 1));
  }
  if (header.masked) {
    for (const std::byte key : header.mask_key) encoded.storage[size++] = key;
  }
  encoded.size = static_cast<std::uint8_t>(size);
  return encoded;
}

void apply_mask(MutableBytes payload, const MaskKey& key, std::uint64_t offset) {
  std::array<std::byte, 8> rotated;
  for (std::size_t i = 0; i < rotated.size(); ++i) rotated[i] = key[(offset + i) % key.size()];
  std::uint64_t key_word;
  std::memcpy(&key_word, rotated.data(), sizeof key_word);

  std::byte* at = payload.data();
  const std::size_t words = payload.size() / sizeof key_word;
  for (std::size_t i = 0; i < words; ++i, at += sizeof key_word) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    word ^= key_word;
    std::memcpy(at, &word, sizeof word);
  }
  for (std::size_t i = 0; i < payload.size() % sizeof key_word; ++i) at[i] ^= rotated[i];
}

}  // namespace ws
