// The buffers into which the kernel receives: two registered rings a loop, small and bulk, because
// one size is wrong for one half of the users. The kernel picks a buffer when bytes are there, so a
// waiting socket holds none.
//
//   in the kernel's ring --received--> Received, owned by a socket's queue --give_back--> the ring
//
// Of each size only some are in the ring, which the kernel goes round: the others are used again
// last in, first out, so that few of them are in the processor's caches, and those that are never
// needed have no memory. A ring that was found empty has twice as many from then on, until nobody
// has found it so for kQuietTurns.
//
// A socket whose receive found the ring empty waits in a FIFO, and is told when buffers are back.
// Buffers that hold nothing are poisoned under ASan.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "uring/count.hh"
#include "uring/kernel.hh"
#include "uring/ready.hh"

namespace uring {

enum class BufferGroup : std::uint8_t { kSmall, kBulk };

struct ReceiveBufferOptions {
  unsigned small_count = 256;
  unsigned small_bytes = 4096;
  unsigned bulk_count = 16;
  unsigned bulk_bytes = 65536;
};

struct BufferId {
  std::uint16_t number;  // in its ring
  BufferGroup group;
};

// One filled buffer: `bytes` is valid until it is given back.
struct Received {
  std::span<std::byte> bytes;
  BufferId buffer;
};

class ReceiveBuffers;

// FIFO of received buffers, linked through the rings' own bookkeeping: no allocation.
class ReceivedQueue {
 public:
  bool empty() const { return first_ == kNone; }

 private:
  friend class ReceiveBuffers;
  static constexpr std::uint32_t kNone = ~0u;
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
};

// A socket's place among those that wait for a buffer.
class Starved : private ListEntry {
 public:
  explicit Starved(Ready& fed) : fed_(fed) {}
  ~Starved() { CHECK(!waiting(), "a socket died in the queue for a buffer"); }
  bool waiting() const { return listed(); }

 private:
  friend class ReceiveBuffers;
  friend class List<Starved>;
  Ready& fed_;
};

class ReceiveBuffers {
 public:
  static std::expected<std::unique_ptr<ReceiveBuffers>, std::string> create(
      Kernel& kernel, ReadyList& ready, ReceiveBufferOptions options);
  ~ReceiveBuffers();
  ReceiveBuffers(const ReceiveBuffers&) = delete;
  ReceiveBuffers& operator=(const ReceiveBuffers&) = delete;

  std::size_t bytes_of(BufferGroup group) const { return rings_[index(group)].bytes_each; }

  // A completion said that `size` bytes lie in buffer `id`. Small ones join the last that wait, so
  // that any two neighbours in a queue hold more than one buffer's worth, whatever a peer sends.
  void push(ReceivedQueue& queue, BufferGroup group, std::uint16_t id, std::size_t size);
  Received pop(ReceivedQueue& queue);
  void give_back(BufferId buffer);
  void give_back_all(ReceivedQueue& queue);

  void wait_for_buffer(BufferGroup group, Starved& starved);
  void stop_waiting(Starved& starved) { starved.unlist(); }

  // End of turn: wakes at most as many starved sockets as there are buffers in the ring.
  void feed_starved();

  // How many of each are in the ring at first.
  static constexpr unsigned kSmallInRing = 32;
  static constexpr unsigned kBulkInRing = 4;
  static constexpr unsigned kQuietTurns = 4096;

  // How many the kernel may fill now.
  std::size_t in_ring(BufferGroup group) const { return rings_[index(group)].in_ring; }
  // Buffers that hold something: 0 when all is quiet.
  std::size_t lent() const;
  // For any thread: all of a group, and how many can be filled.
  std::size_t count(BufferGroup group) const { return rings_[index(group)].count; }
  std::size_t free(BufferGroup group) const {
    return count(group) - static_cast<std::size_t>(rings_[index(group)].lent);
  }

 private:
  struct Entry {
    std::uint32_t next;
    std::uint32_t size;
  };
  struct Ring {
    io_uring_buf_ring* shared = nullptr;
    unsigned count = 0;
    std::size_t bytes_each = 0;
    std::byte* memory = nullptr;
    std::unique_ptr<Entry[]> entries;  // of one that is spare, `next` is the next spare one
    std::uint32_t spare = ReceivedQueue::kNone;  // the last that came back
    unsigned in_ring = 0;
    unsigned in_ring_wanted = 0;
    unsigned in_ring_least = 0;
    unsigned quiet_turns = 0;
    Count lent;
    List<Starved> starved;
  };

  ReceiveBuffers(Kernel& kernel, ReadyList& ready) : kernel_(kernel), ready_(ready) {}
  static std::size_t index(BufferGroup group) { return static_cast<std::size_t>(group); }
  static std::expected<void, std::string> set_up(Kernel& kernel, Ring& ring, std::uint16_t group,
                                                 unsigned count, std::size_t bytes_each);
  void add_to_ring(Ring& ring, std::uint16_t id);
  void add_spare(Ring& ring, std::uint16_t id);
  bool join_last(ReceivedQueue& queue, std::uint16_t id, std::size_t size);
  void fill(Ring& ring, unsigned wanted);
  static void note_quiet_turn(Ring& ring);

  Kernel& kernel_;
  ReadyList& ready_;
  std::array<Ring, 2> rings_;
};

}  // namespace uring
