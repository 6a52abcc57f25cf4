// A hand that makes records of any kind, well formed or not.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proto/tls/record/aead.hh"
#include "tests/proto/tls/record/hex.hh"

namespace tls::record::test {

inline Secret secret_number(const Suite& suite, int number) {
  return Secret(Buffer(suite.secret_size, static_cast<std::byte>(number)));
}

// Seals whatever it is told to, with one direction's secret.
class Hand {
 public:
  Hand(const Suite& suite, const Secret& secret, std::uint64_t sequence = 0)
      : suite_(suite), secret_(secret), sequence_(sequence) {}

  // The type is the first byte behind the content.
  Buffer record(int type, proto::Bytes content, std::size_t padding = 0) {
    Buffer inner(content.begin(), content.end());
    inner.push_back(static_cast<std::byte>(type));
    inner.resize(inner.size() + padding);
    return raw(inner);
  }
  Buffer raw(proto::Bytes inner, int version = 0x0303) {
    const std::size_t length = inner.size() + kTagSize;
    Buffer sealed{std::byte{23}, static_cast<std::byte>(version >> 8),
                  static_cast<std::byte>(version), static_cast<std::byte>(length >> 8),
                  static_cast<std::byte>(length)};
    sealed.resize(5 + length);
    const TrafficKey key = traffic_key(suite_, secret_);
    ExpandedKey expanded;
    wolfcrypt_aead().expand(suite_.cipher, key.key.bytes(), expanded);
    wolfcrypt_aead().seal(expanded, nonce_of(key.iv, sequence_++), proto::Bytes(sealed).first(5),
                          inner, {}, sealed.data() + 5);
    return sealed;
  }
  Buffer key_update(int request) {
    Buffer sealed = record(22, hex(request == 0 ? "1800000100" : "1800000101"));
    advance();
    return sealed;
  }
  void advance() {
    secret_ = next_secret(suite_, secret_);
    sequence_ = 0;
  }

 private:
  const Suite& suite_;
  Secret secret_;
  std::uint64_t sequence_;
};

}  // namespace tls::record::test
