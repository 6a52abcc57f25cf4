// The only user of wolfCrypt's hashes outside TLS.
#include "proto/digest.hh"

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/hash.h>

#include <cassert>

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

void base64_encode(Bytes bytes, std::span<char> text) {
  assert(text.size() == base64_size(bytes.size()));
  auto size = static_cast<word32>(text.size());
  [[maybe_unused]] const int result = Base64_Encode_NoNl(
      words(bytes), static_cast<word32>(bytes.size()), reinterpret_cast<byte*>(text.data()), &size);
  assert(result == 0 && size == text.size());
}

}  // namespace proto
