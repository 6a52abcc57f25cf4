// What all shards know in common of each client's address: its connections, counted exactly, and
// how far it has used up its rates. Of a fixed size: an entry is reused once nothing of its client
// is under way and its rates are whole again, and where all are in use somebody new is told so.
//
// Addresses are spread over stripes, each with a lock that is held for one entry's worth of work
// (or a bounded look for one that can be reused), so that a storm over many shards stays exact. A
// connection that is let in is held by a Hold, which counts it until it goes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "gateway/limits/client_key.hh"
#include "gateway/limits/gcra.hh"

namespace gateway::limits {

// What each address may have; 0 and "no rate" mean any.
struct AddressBounds {
  std::uint64_t connections = 0;
  Rate connection_rate;
  Rate handshake_rate;
  Rate request_rate;
};

// What becomes of somebody new.
enum class Refused : std::uint8_t { kNot, kConnections, kRate, kTableFull };

class AddressTable {
  struct Stripe;

 public:
  static constexpr std::size_t kStripes = 64;
  // Looked at for one that can be reused, when somebody new comes to a stripe that is full.
  static constexpr std::size_t kLookedAtMax = 64;

  // One connection of an address, for as long as it lives. The table outlives it.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept
        : stripe_(std::exchange(other.stripe_, nullptr)), entry_(other.entry_) {}
    Hold& operator=(Hold&& other) noexcept {
      if (this == &other) return *this;
      reset();
      stripe_ = std::exchange(other.stripe_, nullptr);
      entry_ = other.entry_;
      return *this;
    }
    ~Hold() { reset(); }
    void reset();
    explicit operator bool() const { return stripe_ != nullptr; }

   private:
    friend class AddressTable;
    Hold(Stripe* stripe, std::uint32_t entry) : stripe_(stripe), entry_(entry) {}

    Stripe* stripe_ = nullptr;
    std::uint32_t entry_ = 0;
  };

  struct Answer {
    Refused refused = Refused::kNot;
    Nanoseconds wait{0};  // after which another try may do, where it is a rate
    Hold hold;            // where one was asked for, and the table was not full
  };

  // `seed` is secret and random: where an address lies cannot be foreseen. `entries` is rounded up
  // to a multiple of the stripes.
  AddressTable(std::size_t entries, std::span<const std::byte, 32> seed);
  ~AddressTable();
  AddressTable(const AddressTable&) = delete;
  AddressTable& operator=(const AddressTable&) = delete;

  // On any thread. All of the bounds that it names hold, or nothing is counted. A connection is
  // held whatever the bounds are, so that later ones count it, too; `handshake`: it is one of TLS.
  Answer connect(const ClientKey& key, const AddressBounds& bounds, bool handshake,
                 Clock::time_point now);
  // One that is held, of a client who came through a proxy: no rate.
  Answer hold(const ClientKey& key, const AddressBounds& bounds, Clock::time_point now);
  Answer request(const ClientKey& key, const AddressBounds& bounds, Clock::time_point now);

  // Entries that are known, from a count of each stripe. Of those in which nobody has anything
  // under way, or used up, any more, it lets some go before, kLookedAtMax of a stripe at the most:
  // so it holds each lock as long as somebody new may, and what is told too much is gone
  // size() / (kStripes * kLookedAtMax) calls later.
  std::size_t in_use(Clock::time_point now);
  // Connections that are held: of all, and of one.
  std::size_t connections() const;
  std::size_t connections(const ClientKey& key);
  std::size_t size() const { return kStripes * stripe_size_; }

 private:
  struct Place {
    Stripe& stripe;
    std::size_t bucket;
  };
  Place place_of(const ClientKey& key) const;

  const std::size_t stripe_size_;
  std::array<std::uint64_t, 4> seed_{};
  std::unique_ptr<Stripe[]> stripes_;
};

}  // namespace gateway::limits
