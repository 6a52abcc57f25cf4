// A loop on a simulated kernel, with few and small receive buffers so that they run out, and the
// helpers of the tests that need one: deterministic bytes, and turns until something is so.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/uring/simulator.hh"
#include "uring/loop.hh"

constexpr uring::ReceiveBufferOptions kFewBuffers{4, 256, 2, 4096};

// Turns until condition(), with world() playing the peers between them; false if it takes more than
// so many turns.
template <class Condition, class World>
bool turn_until(uring::Loop& loop, unsigned turns_max, Condition condition, World world) {
  for (unsigned turns = 0; turns < turns_max; ++turns) {
    if (condition()) return true;
    world();
    loop.turn(std::chrono::milliseconds(1));
  }
  return condition();
}

struct Simulation {
  explicit Simulation(std::uint64_t seed, SimulationOptions options = {},
                      uring::ReceiveBufferOptions buffer_options = kFewBuffers)
      : kernel(seed, options), loop(kernel) {
    buffers = uring::ReceiveBuffers::create(kernel, loop.ready(), buffer_options).value();
    loop.set_receive_buffers(*buffers);
  }

  template <class Condition, class World>
  bool turn_until(Condition condition, World world) {
    return ::turn_until(loop, 200'000, condition, world);
  }
  template <class Condition>
  bool turn_until(Condition condition) {
    return turn_until(condition, [] {});
  }
  Dice& dice() { return kernel.dice(); }

  void expect_quiet() {
    loop.turn(std::chrono::milliseconds(50));
    EXPECT_EQ(loop.in_flight(), 0u);
    EXPECT_EQ(buffers->lent(), 0u);
    EXPECT_EQ(kernel.requests(), 0u);
  }

  SimulatedKernel kernel;
  uring::Loop loop;
  std::unique_ptr<uring::ReceiveBuffers> buffers;
};

// Byte `index` of stream `stream`: a lost, doubled or exchanged piece shows.
inline std::byte stream_byte(std::size_t stream, std::size_t index) {
  return static_cast<std::byte>((index * 167 + (index >> 8) * 13 + stream * 59) & 0xff);
}

inline std::vector<std::byte> stream_bytes(std::size_t stream, std::size_t from, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t at = 0; at < size; ++at) bytes[at] = stream_byte(stream, from + at);
  return bytes;
}

// The first index at which `bytes` is not what `stream` has from `from` on; bytes.size() if none.
inline std::size_t first_wrong(std::span<const std::byte> bytes, std::size_t stream,
                               std::size_t from) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] != stream_byte(stream, from + at)) return at;
  }
  return bytes.size();
}
