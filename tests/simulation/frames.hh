// WebSocket frames as simulated ends make and read them (RFC 6455 section 5.2), independent of the
// gateway's scanner: any frame can be made, also one that is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace simulation {

constexpr unsigned kFin = 0x80;
constexpr unsigned kRsv1 = 0x40;
constexpr unsigned kRsv2 = 0x20;
constexpr unsigned kRsv3 = 0x10;
constexpr unsigned kContinuation = 0;
constexpr unsigned kText = 1;
constexpr unsigned kBinary = 2;
constexpr unsigned kClose = 8;
constexpr unsigned kPing = 9;
constexpr unsigned kPong = 10;

enum class LengthForm : std::uint8_t { kShortest, k16Bits, k64Bits };

struct FrameForm {
  unsigned first_byte = kFin | kBinary;
  std::optional<std::uint32_t> key = {};  // as it comes first; nothing: unmasked
  LengthForm form = LengthForm::kShortest;
  std::optional<std::uint64_t> declares = {};  // a length, whatever comes
};

std::string make_frame(const FrameForm& form, std::string_view payload);

// The payload of a close frame.
std::string close_payload(unsigned code, std::string_view text);

struct FrameRead {
  unsigned first_byte;
  bool masked;
  std::size_t bytes;  // all of it
  std::uint64_t payload_bytes;
  std::string payload;  // unmasked

  unsigned opcode() const { return first_byte & 0x0f; }
};

// The first one of `bytes`, whatever it is; nothing: it is not whole.
std::optional<FrameRead> read_frame(std::string_view bytes);
// As much of it as is there; nothing: not even its header.
std::optional<FrameRead> read_begun_frame(std::string_view bytes);

}  // namespace simulation
