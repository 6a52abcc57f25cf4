// The only user of wolfCrypt's hashes outside TLS.
#include "proto/digest.hh"

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <algorithm>
#include <cassert>

// The library's old name of its own type.
#undef Sha256

namespace proto {

namespace {

const byte* words(Bytes bytes) {
  return reinterpret_cast<const byte*>(bytes.data());
}

}  // namespace

std::array<std::byte, 20> sha1(Bytes bytes) {
  static_assert(WC_SHA_DIGEST_SIZE == 20);
  std::array<std::byte, 20> digest;
  [[maybe_unused]] const int result = wc_ShaHash(words(bytes), static_cast<word32>(bytes.size()),
                                                 reinterpret_cast<byte*>(digest.data()));
  assert(result == 0);
  return digest;
}

Sha256::Sha256() : state_(std::make_unique<wc_Sha256>()) {
  [[maybe_unused]] const int result = wc_InitSha256(state_.get());
  assert(result == 0);
}

Sha256::~Sha256() {
  wc_Sha256Free(state_.get());
}

void Sha256::update(Bytes bytes) {
  constexpr std::size_t kStepMax = 1u << 30;  // the library counts in 32 bits
  while (!bytes.empty()) {
    const Bytes step = bytes.first(std::min(bytes.size(), kStepMax));
    [[maybe_unused]] const int result =
        wc_Sha256Update(state_.get(), words(step), static_cast<word32>(step.size()));
    assert(result == 0);
    bytes = bytes.subspan(step.size());
  }
}

std::array<std::byte, 32> Sha256::finish() {
  std::array<std::byte, 32> digest;
  static_assert(WC_SHA256_DIGEST_SIZE == digest.size());
  [[maybe_unused]] const int result =
      wc_Sha256Final(state_.get(), reinterpret_cast<byte*>(digest.data()));
  assert(result == 0);
  return digest;
}

std::array<std::byte, 32> hmac_sha256(Bytes key, Bytes bytes) {
  std::array<std::byte, 32> digest;
  static_assert(WC_SHA256_DIGEST_SIZE == digest.size());
  Hmac state;
  [[maybe_unused]] int result = wc_HmacInit(&state, nullptr, INVALID_DEVID);
  assert(result == 0);
  result = wc_HmacSetKey(&state, WC_SHA256, words(key), static_cast<word32>(key.size()));
  assert(result == 0);
  result = wc_HmacUpdate(&state, words(bytes), static_cast<word32>(bytes.size()));
  assert(result == 0);
  result = wc_HmacFinal(&state, reinterpret_cast<byte*>(digest.data()));
  assert(result == 0);
  wc_HmacFree(&state);
  return digest;
}

void base64_encode(Bytes bytes, std::span<char> text) {
  assert(text.size() == base64_size(bytes.size()));
  auto size = static_cast<word32>(text.size());
  [[maybe_unused]] const int result = Base64_Encode_NoNl(
      words(bytes), static_cast<word32>(bytes.size()), reinterpret_cast<byte*>(text.data()), &size);
  assert(result == 0 && size == text.size());
}

}  // namespace proto
