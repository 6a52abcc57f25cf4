// PROXY headers of version 2 by hand, also such as nobody should send.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/proxy/crc32c.hh"

namespace proxy_test {

inline std::string two_bytes(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

inline std::string v2(int version_and_command, int family_and_protocol, const std::string& block,
                      std::optional<std::size_t> length = {}) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header.push_back(static_cast<char>(version_and_command));
  header.push_back(static_cast<char>(family_and_protocol));
  return header + two_bytes(length.value_or(block.size())) + block;
}

// 192.0.2.7:56324 to 198.51.100.1:443.
inline std::string v4_block() {
  return std::string("\xc0\x00\x02\x07\xc6\x33\x64\x01", 8) + two_bytes(56324) + two_bytes(443);
}

inline std::string tlv(int type, std::string_view value) {
  return std::string(1, static_cast<char>(type)) + two_bytes(value.size()) + std::string(value);
}

inline std::string crc_tlv() {
  return tlv(3, std::string_view("\0\0\0\0", 4));
}

// The first checksum that is there, all zero so far, becomes the right one.
inline std::string with_crc(std::string header) {
  const std::size_t at = header.find(crc_tlv(), 16) + 3;
  proxy::Crc32c crc;
  crc.add(proto::as_bytes(header));
  for (std::size_t byte = 0; byte < 4; ++byte) {
    header[at + byte] = static_cast<char>(crc.value() >> (24 - 8 * byte) & 0xff);
  }
  return header;
}

}  // namespace proxy_test
