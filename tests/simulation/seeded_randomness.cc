#include "tests/simulation/seeded_randomness.hh"

#include <sys/random.h>
#include <unistd.h>

#include <cstddef>
#include <random>

namespace {

// A simulation has one thread.
std::mt19937_64 engine;

void fill(void* to, std::size_t size) {
  auto* const bytes = static_cast<unsigned char*>(to);
  for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<unsigned char>(engine());
}

}  // namespace

namespace simulation {

void seed_randomness(std::uint64_t seed) {
  engine.seed(seed);
}

}  // namespace simulation

extern "C" ssize_t getrandom(void* to, std::size_t size, unsigned) {
  fill(to, size);
  return static_cast<ssize_t>(size);
}

extern "C" int getentropy(void* to, std::size_t size) {
  fill(to, size);
  return 0;
}
