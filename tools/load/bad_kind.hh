// How connections can misbehave on purpose (`--bad`), and what each way is called.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace load {

enum class BadKind : std::uint8_t {
  kSlowReader,  // asks for much, and reads next to nothing
  kReset,       // ends with a reset in the middle of a message
  kHalfOpen,    // says half of what opens it, or opens; then it is silent for ever
  kNeverPong,   // reads everything, and answers no ping
  kOversize,    // a message without end: of a huge length, or of fragments
  kBroken,      // what the protocol forbids
};
inline constexpr std::size_t kBadKinds = 6;
inline constexpr std::array<std::string_view, kBadKinds> kBadKindNames = {
    "slow-reader", "reset", "half-open", "never-pong", "oversize", "broken"};

constexpr std::string_view name_of(BadKind kind) {
  return kBadKindNames[static_cast<std::size_t>(kind)];
}

// Of each kind a share of the connections, 0 to 1, or so many of them.
using BadShares = std::array<double, kBadKinds>;
using BadNumbers = std::array<std::size_t, kBadKinds>;

}  // namespace load
