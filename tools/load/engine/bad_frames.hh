// What bad citizens say on a WebSocket, and the one thing that they listen for: a close frame.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "proto/ws/close.hh"
#include "proto/ws/frame.hh"

namespace load {

// Which rule of RFC 6455 is broken.
enum class Breach : std::uint8_t {
  kReservedBit,
  kReservedOpcode,
  kUnmasked,
  kInvalidUtf8,
  kLooseContinuation,  // of no message
  kMissingContinuation,
  kLongControl,
  kFragmentedControl,
};
inline constexpr std::size_t kBreaches = 8;

// Whole frames of which the last one breaks the rule.
std::vector<std::byte> broken_frames(Breach breach, std::mt19937_64& random);

// A masked frame, its payload as it is.
void append_frame(std::vector<std::byte>& to, ws::FrameHeader header, proto::Bytes payload,
                  std::mt19937_64& random);
// Its header alone: what follows is masked with the key that it gives.
ws::MaskKey append_header(std::vector<std::byte>& to, ws::FrameHeader header,
                          std::mt19937_64& random);

// Looks for a close frame in what a server sends, whatever else stands there: extensions that the
// frames have been agreed on change nothing in a control frame.
class CloseWatch {
 public:
  // Gives the code once it is there. Afterwards bytes are dropped.
  std::optional<std::uint16_t> feed(proto::Bytes bytes);

 private:
  std::size_t take_header(proto::Bytes bytes);
  std::size_t take_payload(proto::Bytes bytes);

  std::array<std::byte, ws::kHeaderBytesMax> header_;
  std::size_t header_bytes_ = 0;
  bool in_payload_ = false;
  bool is_close_ = false;
  std::uint64_t left_ = 0;  // of the payload
  std::array<std::byte, ws::kControlPayloadBytesMax> close_;
  std::size_t close_bytes_ = 0;
  std::optional<std::uint16_t> code_;
};

}  // namespace load
