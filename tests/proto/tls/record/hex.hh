// Bytes as the documents write them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proto/bytes.hh"

namespace tls::record::test {

using Buffer = std::vector<std::byte>;

inline Buffer hex(std::string_view digits) {
  Buffer bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    bytes.push_back(
        static_cast<std::byte>(std::stoi(std::string(digits.substr(at, 2)), nullptr, 16)));
  }
  return bytes;
}

inline std::string to_hex(proto::Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[static_cast<unsigned>(byte) >> 4];
    text += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return text;
}

}  // namespace tls::record::test
