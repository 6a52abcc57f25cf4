// The digests that protocols outside TLS need; wolfCrypt stands behind them.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "proto/bytes.hh"

struct wc_Sha256;

namespace proto {

std::array<std::byte, 20> sha1(Bytes bytes);

// SHA-256 of what is given piece by piece (FIPS 180-4).
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(Bytes bytes);
  // Of all that came; a new digest begins.
  std::array<std::byte, 32> finish();

 private:
  std::unique_ptr<wc_Sha256> state_;
};

// A digest that only who knows the key can make (RFC 2104 with SHA-256).
std::array<std::byte, 32> hmac_sha256(Bytes key, Bytes bytes);

constexpr std::size_t base64_size(std::size_t bytes) {
  return (bytes + 2) / 3 * 4;
}

// Writes base64_size(bytes.size()) characters, padded, without line breaks (RFC 4648 section 4).
// Precondition: `text` has exactly that size.
void base64_encode(Bytes bytes, std::span<char> text);

}  // namespace proto
