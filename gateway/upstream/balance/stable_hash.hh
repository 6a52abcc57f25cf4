// A hash that is the same in each process, build and machine, which std::hash does not promise: by
// it several gateways agree on whose key is whose. It keeps no secret: who chooses keys can crowd a
// server, which the bound of its load is for.
#pragma once

#include <cstdint>
#include <string_view>

namespace gateway::balance {

// The finalizer of SplitMix64: each bit of the result depends on all.
constexpr std::uint64_t mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

// FNV-1a of 64 bits, mixed.
constexpr std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return mix(hash);
}

}  // namespace gateway::balance
