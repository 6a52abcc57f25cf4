// Frames for tests, written without the code that is tested.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "proto/ws/frame.hh"

namespace ws_test {

using Buffer = std::vector<std::byte>;

inline constexpr std::array<std::uint8_t, 4> kMask = {0x37, 0xfa, 0x21, 0x3d};

// "81 05 48" as bytes.
inline Buffer hex(std::string_view text) {
  Buffer bytes;
  std::string digits;
  for (const char c : text) {
    if (c == ' ') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes.push_back(static_cast<std::byte>(std::stoul(digits, nullptr, 16)));
    digits.clear();
  }
  if (!digits.empty()) throw std::invalid_argument("half a byte in " + std::string(text));
  return bytes;
}

inline Buffer& operator+=(Buffer& buffer, proto::Bytes bytes) {
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
  return buffer;
}

inline Buffer operator+(Buffer left, const Buffer& right) {
  left += proto::Bytes(right);
  return left;
}

// A frame with a given byte 0, its length in the shortest form, masked if a client sends it.
inline Buffer frame(ws::Sender sender, unsigned first_byte, std::string_view payload) {
  const unsigned mask = sender == ws::Sender::kClient ? 0x80 : 0;
  Buffer bytes;
  const auto put = [&](std::uint64_t byte) {
    bytes.push_back(static_cast<std::byte>(byte & 0xff));
  };
  put(first_byte);
  if (payload.size() < 126) {
    put(mask | payload.size());
  } else if (payload.size() < 65536) {
    put(mask | 126);
    for (const unsigned shift : {8u, 0u}) put(payload.size() >> shift);
  } else {
    put(mask | 127);
    for (const unsigned shift : {56u, 48u, 40u, 32u, 24u, 16u, 8u, 0u})
      put(payload.size() >> shift);
  }
  if (mask != 0) {
    for (const std::uint8_t byte : kMask) put(byte);
  }
  for (std::size_t i = 0; i < payload.size(); ++i) {
    put(static_cast<std::uint8_t>(payload[i]) ^ (mask != 0 ? kMask[i % 4] : 0u));
  }
  return bytes;
}

inline std::string text(proto::Bytes bytes) {
  return std::string(proto::as_text(bytes));
}

}  // namespace ws_test
