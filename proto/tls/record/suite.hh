// The cipher suites of TLS 1.3 that there are here (RFC 8446 section B.4), and what each is made
// of. Static: a suite is passed by reference, and lives for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tls::record {

enum class Cipher : std::uint8_t { kAes128Gcm, kAes256Gcm, kChaCha20Poly1305 };
enum class Hash : std::uint8_t { kSha256, kSha384 };

inline constexpr std::size_t kKeyMax = 32;
inline constexpr std::size_t kNonceSize = 12;
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kSecretMax = 48;

struct Suite {
  std::uint16_t id;
  Cipher cipher;
  Hash hash;
  std::uint8_t key_size;
  std::uint8_t secret_size;  // the hash's
  std::string_view name;     // "TLS_AES_128_GCM_SHA256"
};

// Null: none of ours.
const Suite* find_suite(std::uint16_t id);

}  // namespace tls::record
