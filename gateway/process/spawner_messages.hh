// What a serving process and its spawner tell each other, a packet each.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gateway {

struct SpawnerOrder {
  enum class Kind : std::uint8_t {
    kSockets,  // with descriptors: of the next successor; value: whether they are the first
    kStart,    // with its channel and its stderr; value: how many of the sockets are left to it
    kSignal,   // value: for the successor
    kSpare,    // the successor may serve already: it is not to end with whoever has it started
    kRelease,
    kDrop,  // value: whether there is an account; its uid, gid and groups follow, each 32 bits
  };
  Kind kind;
  std::uint32_t value = 0;
};

inline constexpr std::size_t kDescriptorsPerMessage = 253;  // SCM_MAX_FD
inline constexpr std::size_t kGroupsMax = 4096;             // of an account

// The spawner's side, until it ends. `descriptor` is its end, all others from 3 on are closed.
struct SpawnerSetting {
  int descriptor;
  const char* program;
  char* const* arguments;   // ends with null
  const void* signal_mask;  // a sigset_t: the successor's
};
[[noreturn]] void run_spawner(const SpawnerSetting& setting);

}  // namespace gateway
