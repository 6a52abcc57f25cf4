// Expanded keys of the connections that talk: one is over a kilobyte, which an idle connection need
// not have. Whoever has a key asks for its expansion before each batch, and gets it at once unless
// others have taken its place since. A fixed number, made as they are needed; one cache for a
// shard, on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "proto/memory_counter.hh"
#include "proto/tls/record/aead.hh"

namespace tls::record {

class KeyCache {
 public:
  // Sealing 64 bytes takes 45 ns with an expansion that is there, and 155 with one that has to be
  // made; that holds as far as they fill the processor's own cache (bench/aead_bench.cc). All of
  // them are 350 KiB.
  static constexpr std::size_t kPlaces = 256;

  // Where a key has its expansion, if it still is there. Its owner's; forget() before it goes.
  struct Mark {
    std::uint64_t number = 0;  // 0: nowhere
    std::uint32_t place = 0;
  };

  // `account` counts what it has.
  explicit KeyCache(const Aead& aead = fastest_aead(), std::size_t places_max = kPlaces,
                    proto::MemoryCounter account = {});
  ~KeyCache();
  KeyCache(const KeyCache&) = delete;
  KeyCache& operator=(const KeyCache&) = delete;

  const Aead& aead() const { return aead_; }

  // Valid until the next call.
  const ExpandedKey& expanded(Mark& mark, const Suite& suite, const TrafficKey& key) {
    if (mark.number != 0 && places_[mark.place]->number == mark.number) {
      places_[mark.place]->used = true;
      return places_[mark.place]->key;
    }
    return expand(mark, suite, key);
  }

  // The key is of no use any more: its expansion is wiped.
  void forget(Mark& mark);

  // How many were made so far.
  std::size_t expansions() const { return static_cast<std::size_t>(last_number_); }

 private:
  struct Place {
    ExpandedKey key;
    std::uint64_t number = 0;  // whose mark says so; 0: free
    bool used = false;         // since the hand came by
  };

  const ExpandedKey& expand(Mark& mark, const Suite& suite, const TrafficKey& key);
  std::uint32_t find_place();

  const Aead& aead_;
  const std::size_t places_max_;
  const proto::MemoryCounter account_;
  std::vector<std::unique_ptr<Place>> places_;
  std::vector<std::uint32_t> free_;  // of these
  std::uint64_t last_number_ = 0;
  std::uint32_t hand_ = 0;
};

}  // namespace tls::record
