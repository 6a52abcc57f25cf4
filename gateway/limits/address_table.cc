#include "gateway/limits/address_table.hh"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "uring/check.hh"
#include "uring/count.hh"

namespace gateway::limits {
namespace {

constexpr std::uint32_t kNone = 0xffff'ffff;

struct Entry {
  ClientKey key{config::Octets{}};
  std::uint32_t connections = 0;
  std::uint32_t next = kNone;  // of its bucket, or of those that are free
  bool is_known = false;       // it is in a bucket
  Gcra connects;
  Gcra handshakes;
  Gcra requests;

  bool is_idle(Clock::time_point now) const {
    return connections == 0 && connects.is_idle(now) && handshakes.is_idle(now) &&
           requests.is_idle(now);
  }
};

// Half of each is wanted, since neighbours differ in the low bits alone.
std::uint64_t fold(std::uint64_t one, std::uint64_t other) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(one) * other;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

// Its entries lie in one array, of which no more is touched than was ever used.
struct alignas(64) AddressTable::Stripe {
  std::mutex mutex;
  std::size_t capacity = 0;
  std::vector<Entry> entries;
  std::vector<std::uint32_t> buckets;
  std::uint32_t free = kNone;
  std::size_t hand = 0;      // the next one that is looked at for being reused
  uring::Count known;        // entries in buckets; written under the lock, as the next one
  uring::Count connections;  // that are held

  std::uint32_t find(const ClientKey& key, std::size_t bucket) const {
    std::uint32_t at = buckets[bucket];
    while (at != kNone && !(entries[at].key == key)) at = entries[at].next;
    return at;
  }

  std::uint32_t take_free() {
    if (free != kNone) return std::exchange(free, entries[free].next);
    if (entries.size() == capacity) return kNone;
    entries.emplace_back();
    return static_cast<std::uint32_t>(entries.size() - 1);
  }

  // kNone: none is left, or none was found that could be reused.
  std::uint32_t add(const AddressTable& table, const ClientKey& key, std::size_t bucket,
                    Clock::time_point now) {
    std::uint32_t at = take_free();
    for (std::size_t left = std::min(kLookedAtMax, entries.size()); at == kNone && left > 0;
         --left) {
      hand = (hand + 1) % entries.size();
      if (!entries[hand].is_idle(now)) continue;
      let_go(table, static_cast<std::uint32_t>(hand));
      at = take_free();
    }
    if (at == kNone) return kNone;
    entries[at] = Entry{.key = key, .next = buckets[bucket], .is_known = true};
    buckets[bucket] = at;
    known.add();
    return at;
  }

  // Out of its bucket, to those that are free.
  void let_go(const AddressTable& table, std::uint32_t at) {
    Entry& entry = entries[at];
    std::uint32_t* link = &buckets[table.place_of(entry.key).bucket];
    while (*link != at) link = &entries[*link].next;
    *link = entry.next;
    entry = Entry{.next = free};
    free = at;
    known.take();
  }

  // Of some, those that say nothing any more.
  void let_some_go(const AddressTable& table, Clock::time_point now) {
    for (std::size_t left = std::min(kLookedAtMax, entries.size()); left > 0; --left) {
      hand = (hand + 1) % entries.size();
      if (entries[hand].is_known && entries[hand].is_idle(now))
        let_go(table, static_cast<std::uint32_t>(hand));
    }
  }
};

AddressTable::AddressTable(std::size_t entries, std::span<const std::byte, 32> seed)
    : stripe_size_(std::max<std::size_t>((entries + kStripes - 1) / kStripes, 1)),
      stripes_(new Stripe[kStripes]) {
  std::memcpy(seed_.data(), seed.data(), seed.size());
  seed_[1] |= 1;
  seed_[3] |= 1;
  for (Stripe& stripe : std::span(stripes_.get(), kStripes)) {
    stripe.capacity = stripe_size_;
    stripe.entries.reserve(stripe_size_);
    stripe.buckets.resize(std::bit_ceil(stripe_size_), kNone);
  }
}

AddressTable::~AddressTable() = default;

AddressTable::Place AddressTable::place_of(const ClientKey& key) const {
  const std::uint64_t kind = key.is_v4() ? 0x9e37'79b9'7f4a'7c15 : 0;
  const std::uint64_t hash =
      fold(fold(key.bits() ^ seed_[0], seed_[1]) ^ kind ^ seed_[2], seed_[3]);
  Stripe& stripe = stripes_[hash % kStripes];
  return {stripe, (hash / kStripes) & (stripe.buckets.size() - 1)};
}

AddressTable::Answer AddressTable::connect(const ClientKey& key, const AddressBounds& bounds,
                                           bool handshake, Clock::time_point now) {
  const auto [stripe, bucket] = place_of(key);
  const std::lock_guard lock(stripe.mutex);
  std::uint32_t at = stripe.find(key, bucket);
  if (at == kNone) at = stripe.add(*this, key, bucket, now);
  if (at == kNone) return {.refused = Refused::kTableFull};
  Entry& entry = stripe.entries[at];
  const Nanoseconds wait =
      std::max(entry.connects.wait(bounds.connection_rate, now),
               handshake ? entry.handshakes.wait(bounds.handshake_rate, now) : Nanoseconds(0));
  if (wait.count() > 0) return {.refused = Refused::kRate, .wait = wait};
  const bool full = bounds.connections > 0 && entry.connections >= bounds.connections;
  if (full) return {.refused = Refused::kConnections};
  entry.connects.note(bounds.connection_rate, now);
  if (handshake) entry.handshakes.note(bounds.handshake_rate, now);
  ++entry.connections;
  stripe.connections.add();
  return {.hold = Hold(&stripe, at)};
}

AddressTable::Answer AddressTable::hold(const ClientKey& key, const AddressBounds& bounds,
                                        Clock::time_point now) {
  return connect(key, {.connections = bounds.connections}, false, now);
}

AddressTable::Answer AddressTable::request(const ClientKey& key, const AddressBounds& bounds,
                                           Clock::time_point now) {
  const auto [stripe, bucket] = place_of(key);
  const std::lock_guard lock(stripe.mutex);
  std::uint32_t at = stripe.find(key, bucket);
  if (at == kNone) at = stripe.add(*this, key, bucket, now);
  if (at == kNone) return {.refused = Refused::kTableFull};
  Entry& entry = stripe.entries[at];
  const Nanoseconds wait = entry.requests.wait(bounds.request_rate, now);
  if (wait.count() > 0) return {.refused = Refused::kRate, .wait = wait};
  entry.requests.note(bounds.request_rate, now);
  return {};
}

// The entry stays until it is looked at: its rates may say something still.
void AddressTable::Hold::reset() {
  Stripe* const stripe = std::exchange(stripe_, nullptr);
  if (stripe == nullptr) return;
  const std::lock_guard lock(stripe->mutex);
  CHECK(stripe->entries[entry_].connections > 0, "what is held is counted");
  --stripe->entries[entry_].connections;
  stripe->connections.take();
}

std::size_t AddressTable::in_use(Clock::time_point now) {
  std::size_t count = 0;
  for (Stripe& stripe : std::span(stripes_.get(), kStripes)) {
    const std::lock_guard lock(stripe.mutex);
    stripe.let_some_go(*this, now);
    count += stripe.known;
  }
  return count;
}

std::size_t AddressTable::connections() const {
  std::size_t count = 0;
  for (const Stripe& stripe : std::span(stripes_.get(), kStripes)) count += stripe.connections;
  return count;
}

std::size_t AddressTable::connections(const ClientKey& key) {
  const auto [stripe, bucket] = place_of(key);
  const std::lock_guard lock(stripe.mutex);
  const std::uint32_t at = stripe.find(key, bucket);
  return at == kNone ? 0 : stripe.entries[at].connections;
}

}  // namespace gateway::limits
