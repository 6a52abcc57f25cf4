#include "proto/tls/record/key_cache.hh"

namespace tls::record {

KeyCache::KeyCache(const Aead& aead, std::size_t places_max, proto::MemoryCounter account)
    : aead_(aead), places_max_(places_max), account_(account) {}

KeyCache::~KeyCache() {
  for (const auto& place : places_) place->key.wipe();
  account_.remove(places_.size() * sizeof(Place));
}

const ExpandedKey& KeyCache::expand(Mark& mark, const Suite& suite, const TrafficKey& key) {
  mark = {++last_number_, find_place()};
  Place& place = *places_[mark.place];
  if (place.number != 0) place.key.wipe();
  place.number = mark.number;
  place.used = true;
  aead_.expand(suite.cipher, key.key.bytes(), place.key);
  return place.key;
}

// A clock: who has not been used since it came by last time makes way.
std::uint32_t KeyCache::find_place() {
  if (!free_.empty()) {
    const std::uint32_t at = free_.back();
    free_.pop_back();
    return at;
  }
  if (places_.size() < places_max_) {
    places_.push_back(std::make_unique<Place>());
    account_.add(sizeof(Place));
    return static_cast<std::uint32_t>(places_.size() - 1);
  }
  while (true) {
    const std::uint32_t at = hand_;
    hand_ = at + 1 < places_.size() ? at + 1 : 0;
    Place& place = *places_[at];
    if (!place.used) return at;
    place.used = false;
  }
}

void KeyCache::forget(Mark& mark) {
  if (mark.number != 0 && places_[mark.place]->number == mark.number) {
    places_[mark.place]->key.wipe();
    places_[mark.place]->number = 0;
    free_.push_back(mark.place);
  }
  mark = {};
}

}  // namespace tls::record
