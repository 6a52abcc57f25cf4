// The ciphers of TLS 1.3 over the caller's bytes (RFC 5116). A key is expanded once and used for
// any number of records; sealing and opening allocate nothing and keep nothing. Whose code does it
// is chosen once for the process: libipsec-mb where it was there at the build and the processor has
// what makes it faster, else wolfCrypt. Both give the same bytes.
//
// One record a call: with keys that differ and records that come one by one, several at once would
// gain nothing; what a call costs is far below what 64 bytes do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/bytes.hh"
#include "proto/tls/record/key_schedule.hh"
#include "proto/tls/record/suite.hh"

namespace tls::record {

// Some implementation's, and wiped with `wipe`; never moved.
struct alignas(64) ExpandedKey {
  // libipsec-mb 1.3 needs 1,024 of them for AES-GCM, 1.5 needs 1,264.
  static constexpr std::size_t kBytes = 1280;

  std::array<std::byte, kBytes> memory;
  Cipher cipher;

  void wipe() { explicit_bzero(memory.data(), memory.size()); }
};

class Aead {
 public:
  virtual std::string_view name() const = 0;  // "libipsec-mb 1.3.0"

  // `key` is as long as the cipher's.
  virtual void expand(Cipher cipher, proto::Bytes key, ExpandedKey& to) const = 0;

  // Seals `text` with `behind` after it, and puts that and then the tag to `to`. This is `text`
  // itself, or overlaps neither.
  virtual void seal(const ExpandedKey& key, const Nonce& nonce, proto::Bytes associated,
                    proto::Bytes text, proto::Bytes behind, std::byte* to) const = 0;

  // `sealed` ends with the tag; all before it is opened to `to`, which is `sealed` itself or does
  // not overlap it. False: it was not sealed so, and nothing of it is left in `to`. How long the
  // look at the tag takes tells nothing of it.
  virtual bool open(const ExpandedKey& key, const Nonce& nonce, proto::Bytes associated,
                    proto::Bytes sealed, std::byte* to) const = 0;

 protected:
  ~Aead() = default;
};

const Aead& wolfcrypt_aead();
// Null: it is not in this build, or the processor lacks what it wants at the least.
const Aead* ipsec_mb_aead();
// Of the two that which is the faster one here.
const Aead& fastest_aead();

// What both say where they find a fault that cannot be: no memory, a length out of bounds.
[[noreturn]] void fail_cipher(const char* what);

}  // namespace tls::record
