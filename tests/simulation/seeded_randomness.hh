// The system's randomness, made of a seed: where this is linked in, getrandom() and getentropy()
// are ours, and so are the keys, nonces and hellos of the TLS library, which asks nobody else.
#pragma once

#include <cstdint>

namespace simulation {

// From here on the process draws the same bytes whenever it is given the same seed.
void seed_randomness(std::uint64_t seed);

}  // namespace simulation
