// The ciphers by wolfCrypt: AES-NI and AVX2 in 128 bits at a time.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include <wolfssl/wolfcrypt/settings.h>
// The settings come first.
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>

#include "proto/tls/record/aead.hh"

namespace tls::record {
namespace {

static_assert(sizeof(Aes) <= ExpandedKey::kBytes && alignof(Aes) <= alignof(ExpandedKey));

const byte* words(proto::Bytes bytes) {
  return reinterpret_cast<const byte*>(bytes.data());
}
const byte* words(const Nonce& nonce) {
  return reinterpret_cast<const byte*>(nonce.data());
}
word32 length(proto::Bytes bytes) {
  return static_cast<word32>(bytes.size());
}

// The library takes it without const, and leaves it as it is.
Aes* aes_in(const ExpandedKey& key) {
  return std::launder(reinterpret_cast<Aes*>(const_cast<std::byte*>(key.memory.data())));
}
const byte* chacha_key_in(const ExpandedKey& key) {
  return reinterpret_cast<const byte*>(key.memory.data());
}

class Wolfcrypt final : public Aead {
 public:
  std::string_view name() const override { return "wolfCrypt"; }

  void expand(Cipher cipher, proto::Bytes key, ExpandedKey& to) const override {
    to.cipher = cipher;
    if (cipher == Cipher::kChaCha20Poly1305) {
      std::memcpy(to.memory.data(), key.data(), key.size());
      return;
    }
    Aes* const aes = new (to.memory.data()) Aes;
    if (wc_AesInit(aes, nullptr, INVALID_DEVID) != 0 ||
        wc_AesGcmSetKey(aes, words(key), length(key)) != 0) {
      fail_cipher("expanding a key");
    }
  }

  void seal(const ExpandedKey& key, const Nonce& nonce, proto::Bytes associated, proto::Bytes text,
            proto::Bytes behind, std::byte* to) const override {
    if (to != text.data() && !text.empty()) std::memcpy(to, text.data(), text.size());
    if (!behind.empty()) std::memcpy(to + text.size(), behind.data(), behind.size());
    const proto::Bytes whole(to, text.size() + behind.size());
    byte* const out = reinterpret_cast<byte*>(to);
    byte* const tag = out + whole.size();
    const int result =
        key.cipher == Cipher::kChaCha20Poly1305
            ? wc_ChaCha20Poly1305_Encrypt(chacha_key_in(key), words(nonce), words(associated),
                                          length(associated), out, length(whole), out, tag)
            : wc_AesGcmEncrypt(aes_in(key), out, out, length(whole), words(nonce), kNonceSize, tag,
                               kTagSize, words(associated), length(associated));
    if (result != 0) fail_cipher("sealing");
  }

  bool open(const ExpandedKey& key, const Nonce& nonce, proto::Bytes associated,
            proto::Bytes sealed, std::byte* to) const override {
    if (sealed.size() < kTagSize) return false;
    const proto::Bytes text = sealed.first(sealed.size() - kTagSize);
    const proto::Bytes tag = sealed.last(kTagSize);
    byte* const out = reinterpret_cast<byte*>(to);
    const int result = key.cipher == Cipher::kChaCha20Poly1305
                           ? wc_ChaCha20Poly1305_Decrypt(chacha_key_in(key), words(nonce),
                                                         words(associated), length(associated),
                                                         words(text), length(text), words(tag), out)
                           : wc_AesGcmDecrypt(aes_in(key), out, words(text), length(text),
                                              words(nonce), kNonceSize, words(tag), kTagSize,
                                              words(associated), length(associated));
    if (result != 0) explicit_bzero(to, text.size());
    return result == 0;
  }
};

}  // namespace

const Aead& wolfcrypt_aead() {
  static const Wolfcrypt aead;
  return aead;
}

const Aead& fastest_aead() {
  static const Aead& chosen = ipsec_mb_aead() != nullptr ? *ipsec_mb_aead() : wolfcrypt_aead();
  return chosen;
}

void fail_cipher(const char* what) {
  std::fprintf(stderr, "tls: the cipher failed at %s\n", what);
  std::abort();
}

}  // namespace tls::record
