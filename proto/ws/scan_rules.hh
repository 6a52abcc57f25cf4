// What a route demands of the frames that pass.
#pragma once

#include <cstdint>

namespace ws {

enum class Validation : std::uint8_t {
  kFull,     // RFC 6455, and text is UTF-8, where no unknown extension may have changed it
  kHeaders,  // RFC 6455 but for the text
  kOff,      // see FrameScanner
};

// The most that frame_max and message_max may be.
constexpr std::uint32_t kBytesMaxMax = 2u << 30;

struct ScanRules {
  std::uint8_t rsv_allowed = 0;  // see HeaderRules
  Validation validation = Validation::kFull;
  std::uint32_t frame_bytes_max = 0;    // payload of a data frame, as it is declared; 0: any
  std::uint32_t message_bytes_max = 0;  // of all frames of a message together; 0: any
};

}  // namespace ws
