// From a traffic secret to what seals its records, and to the secret after it (RFC 8446 sections
// 7.1 to 7.3). All secrets here wipe themselves when they go, and when another takes their place.
#pragma once

#include <string.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/bytes.hh"
#include "proto/tls/record/suite.hh"

namespace tls::record {

template <std::size_t kSize>
class SecretBytes {
 public:
  SecretBytes() = default;
  // At most kSize of them.
  explicit SecretBytes(proto::Bytes bytes) {
    bytes = bytes.first(std::min(bytes.size(), kSize));
    std::ranges::copy(bytes, of_size(bytes.size()).begin());
  }
  SecretBytes(const SecretBytes&) = default;
  SecretBytes& operator=(const SecretBytes&) = default;
  ~SecretBytes() { wipe(); }

  void wipe() {
    explicit_bzero(bytes_.data(), bytes_.size());
    size_ = 0;
  }
  // To be filled.
  proto::MutableBytes of_size(std::size_t size) {
    size_ = static_cast<std::uint8_t>(size);
    return {bytes_.data(), size};
  }
  proto::Bytes bytes() const { return {bytes_.data(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  std::array<std::byte, kSize> bytes_{};
  std::uint8_t size_ = 0;
};

using Secret = SecretBytes<kSecretMax>;
using Nonce = std::array<std::byte, kNonceSize>;

// What seals the records of one direction between two KeyUpdates.
struct TrafficKey {
  SecretBytes<kKeyMax> key;
  Nonce iv{};
};

// HKDF-Expand-Label; `to` is filled. `secret` is as long as the suite's hash, `context` at most as
// long. Without memory it aborts.
void expand_label(const Suite& suite, proto::Bytes secret, std::string_view label,
                  proto::Bytes context, proto::MutableBytes to);

TrafficKey traffic_key(const Suite& suite, const Secret& secret);

// What follows on a KeyUpdate (section 7.2).
Secret next_secret(const Suite& suite, const Secret& secret);

// Section 5.3: the nonce of the record with this number.
Nonce nonce_of(const Nonce& iv, std::uint64_t sequence);

}  // namespace tls::record
