// The keys that seal session tickets: AES-256-GCM, shared by all shards, so that a client resumes
// wherever it lands. A ticket is sealed under the newest key and accepted under that one and the
// one before; then its key is gone, and the client makes a full handshake (RFC 5077 section 5.5).
// Lives until the last session is gone. Safe from any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

namespace tls {

// For whom a ticket was made: it is opened only for the same. A hash of what let its client in, so
// that a ticket never says more than a full handshake would (all zero: nobody is asked).
using TicketBinding = std::array<std::uint8_t, 32>;

class TicketKeys {
 public:
  using Clock = std::chrono::steady_clock;

  // The newest key is replaced by itself once it is older than `rotate_every`; tickets live as
  // long.
  explicit TicketKeys(std::chrono::seconds rotate_every = std::chrono::hours(12));
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  void rotate();
  std::chrono::seconds lifetime() const { return rotate_every_; }

  // For the contexts' callback. Both work in place; `name` and `nonce` are 16 bytes, `tag` 32, of
  // which the key's kind uses a part. False: no ticket, not one of ours, or bound to another.
  bool seal(std::uint8_t* name, std::uint8_t* nonce, std::uint8_t* tag,
            std::span<std::uint8_t> ticket, const TicketBinding& binding = {});
  bool open(const std::uint8_t* name, const std::uint8_t* nonce, const std::uint8_t* tag,
            std::span<std::uint8_t> ticket, const TicketBinding& binding = {});

 private:
  struct Key {
    std::array<std::uint8_t, 16> name{};
    std::array<std::uint8_t, 32> secret{};
    bool usable = false;
  };

  void rotate_locked();
  Key newest();
  Key named(const std::uint8_t* name);

  std::mutex mutex_;
  const std::chrono::seconds rotate_every_;
  Clock::time_point newest_since_;
  std::array<Key, 2> keys_;  // newest first
};

}  // namespace tls
