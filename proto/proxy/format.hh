// The bytes of PROXY headers, for whoever reads and whoever writes them (sections 2.1 and 2.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace proxy {

inline constexpr std::string_view kLineStart = "PROXY ";

inline constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
inline constexpr std::size_t kFixedBytes = 16;  // the signature, and four more
inline constexpr unsigned kCommandLocal = 0;
inline constexpr unsigned kCommandProxy = 1;
inline constexpr unsigned kFamilyUnix = 3;  // the highest one
inline constexpr unsigned kProtocolStream = 1;
inline constexpr unsigned kProtocolMax = 2;
inline constexpr std::size_t kUnixBytes = 216;  // of both addresses

inline constexpr std::uint8_t kTlvAlpn = 0x01;
inline constexpr std::uint8_t kTlvAuthority = 0x02;
inline constexpr std::uint8_t kTlvCrc32c = 0x03;
inline constexpr std::uint8_t kTlvUniqueId = 0x05;
inline constexpr std::size_t kTlvHeadBytes = 3;
inline constexpr std::size_t kCrcBytes = 4;

}  // namespace proxy
