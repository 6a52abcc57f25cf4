#include "proto/tls/record/key_schedule.hh"

#include <cstdlib>

#include <wolfssl/wolfcrypt/settings.h>
// The settings come first.
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/kdf.h>

namespace tls::record {
namespace {

constexpr std::string_view kProtocol = "tls13 ";

const byte* words(proto::Bytes bytes) {
  return reinterpret_cast<const byte*>(bytes.data());
}

}  // namespace

void expand_label(const Suite& suite, proto::Bytes secret, std::string_view label,
                  proto::Bytes context, proto::MutableBytes to) {
  const int digest = suite.hash == Hash::kSha256 ? int{WC_SHA256} : int{WC_SHA384};
  const int result = wc_Tls13_HKDF_Expand_Label(
      reinterpret_cast<byte*>(to.data()), static_cast<word32>(to.size()), words(secret),
      static_cast<word32>(secret.size()), words(proto::as_bytes(kProtocol)),
      static_cast<word32>(kProtocol.size()), words(proto::as_bytes(label)),
      static_cast<word32>(label.size()), words(context), static_cast<word32>(context.size()),
      digest);
  // Going on would be with a key that anybody knows.
  if (result != 0) std::abort();
}

TrafficKey traffic_key(const Suite& suite, const Secret& secret) {
  TrafficKey made;
  expand_label(suite, secret.bytes(), "key", {}, made.key.of_size(suite.key_size));
  expand_label(suite, secret.bytes(), "iv", {}, made.iv);
  return made;
}

Secret next_secret(const Suite& suite, const Secret& secret) {
  Secret next;
  expand_label(suite, secret.bytes(), "traffic upd", {}, next.of_size(suite.secret_size));
  return next;
}

Nonce nonce_of(const Nonce& iv, std::uint64_t sequence) {
  Nonce nonce = iv;
  std::uint64_t low;
  memcpy(&low, &nonce[kNonceSize - sizeof low], sizeof low);
  low ^= __builtin_bswap64(sequence);
  memcpy(&nonce[kNonceSize - sizeof low], &low, sizeof low);
  return nonce;
}

}  // namespace tls::record
