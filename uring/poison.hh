// Marks memory that nobody may read, where the build has AddressSanitizer; nothing elsewhere.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define URING_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define URING_POISONS 1
#endif
#endif

#ifdef URING_POISONS
#include <sanitizer/asan_interface.h>
#endif

namespace uring {

inline void poison([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) {
#ifdef URING_POISONS
  __asan_poison_memory_region(memory, size);
#endif
}

inline void unpoison([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) {
#ifdef URING_POISONS
  __asan_unpoison_memory_region(memory, size);
#endif
}

}  // namespace uring
