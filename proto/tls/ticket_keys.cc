#include "proto/tls/ticket_keys.hh"

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "proto/tls/wolf.hh"
// After the settings.
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/random.h>

namespace tls {
namespace {

constexpr word32 kNonceSize = 12;
constexpr word32 kTagSize = 16;
static_assert(kNonceSize <= WOLFSSL_TICKET_IV_SZ && kTagSize <= WOLFSSL_TICKET_MAC_SZ);

// The kernel's randomness; a process without it must not hand out tickets.
void fill_random(void* to, std::size_t size) {
  if (getentropy(to, size) != 0) {
    std::perror("getentropy");
    std::abort();
  }
}

struct Cipher {
  explicit Cipher(const std::array<std::uint8_t, 32>& secret) {
    ready = wc_AesInit(&aes, nullptr, INVALID_DEVID) == 0 &&
            wc_AesGcmSetKey(&aes, secret.data(), static_cast<word32>(secret.size())) == 0;
  }
  ~Cipher() { wc_AesFree(&aes); }
  Aes aes;
  bool ready;
};

// The associated data.
std::array<std::uint8_t, 48> bound_to(const std::array<std::uint8_t, 16>& name,
                                      const TicketBinding& binding) {
  std::array<std::uint8_t, 48> bound;
  std::copy(binding.begin(), binding.end(), std::copy(name.begin(), name.end(), bound.begin()));
  return bound;
}

}  // namespace

TicketKeys::TicketKeys(std::chrono::seconds rotate_every) : rotate_every_(rotate_every) {
  rotate();
}

TicketKeys::~TicketKeys() {
  for (Key& key : keys_) explicit_bzero(&key, sizeof key);
}

void TicketKeys::rotate() {
  const std::scoped_lock lock(mutex_);
  rotate_locked();
}

void TicketKeys::rotate_locked() {
  keys_[1] = keys_[0];
  fill_random(keys_[0].name.data(), keys_[0].name.size());
  fill_random(keys_[0].secret.data(), keys_[0].secret.size());
  keys_[0].usable = true;
  newest_since_ = Clock::now();
}

TicketKeys::Key TicketKeys::newest() {
  const std::scoped_lock lock(mutex_);
  if (Clock::now() - newest_since_ >= rotate_every_) rotate_locked();
  return keys_[0];
}

TicketKeys::Key TicketKeys::named(const std::uint8_t* name) {
  const std::scoped_lock lock(mutex_);
  // Nobody may have come for long: then the keys are older than they may get.
  const auto age = Clock::now() - newest_since_;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const bool fresh = age < rotate_every_ * (2 - static_cast<int>(i));
    if (fresh && keys_[i].usable && std::equal(keys_[i].name.begin(), keys_[i].name.end(), name)) {
      return keys_[i];
    }
  }
  return {};
}

// The nonce is random (96 bits, NIST SP 800-38D section 8.2.2): a key seals far fewer than 2^32
// tickets in its life.
bool TicketKeys::seal(std::uint8_t* name, std::uint8_t* nonce, std::uint8_t* tag,
                      std::span<std::uint8_t> ticket, const TicketBinding& binding) {
  Key key = newest();
  Cipher cipher(key.secret);
  explicit_bzero(key.secret.data(), key.secret.size());
  if (!cipher.ready) return false;
  std::copy(key.name.begin(), key.name.end(), name);
  fill_random(nonce, kNonceSize);
  const auto bound = bound_to(key.name, binding);
  const auto size = static_cast<word32>(ticket.size());
  return wc_AesGcmEncrypt(&cipher.aes, ticket.data(), ticket.data(), size, nonce, kNonceSize, tag,
                          kTagSize, bound.data(), static_cast<word32>(bound.size())) == 0;
}

bool TicketKeys::open(const std::uint8_t* name, const std::uint8_t* nonce, const std::uint8_t* tag,
                      std::span<std::uint8_t> ticket, const TicketBinding& binding) {
  Key key = named(name);
  if (!key.usable) return false;
  Cipher cipher(key.secret);
  explicit_bzero(key.secret.data(), key.secret.size());
  if (!cipher.ready) return false;
  const auto bound = bound_to(key.name, binding);
  const auto size = static_cast<word32>(ticket.size());
  return wc_AesGcmDecrypt(&cipher.aes, ticket.data(), ticket.data(), size, nonce, kNonceSize, tag,
                          kTagSize, bound.data(), static_cast<word32>(bound.size())) == 0;
}

}  // namespace tls
