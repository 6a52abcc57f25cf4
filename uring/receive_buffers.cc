#include "uring/receive_buffers.hh"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "uring/check.hh"
#include "uring/poison.hh"
#include "uring/probe.hh"

namespace uring {
namespace {

// A queue's link names the group in its top bit and the buffer below.
constexpr std::uint32_t kBulkBit = 1u << 31;

std::uint32_t link_of(BufferGroup group, std::uint16_t id) {
  return (group == BufferGroup::kBulk ? kBulkBit : 0) | id;
}

}  // namespace

std::expected<std::unique_ptr<ReceiveBuffers>, std::string> ReceiveBuffers::create(
    Kernel& kernel, ReadyList& ready, ReceiveBufferOptions options) {
  std::unique_ptr<ReceiveBuffers> buffers(new ReceiveBuffers(kernel, ready));
  auto small = set_up(kernel, buffers->rings_[0], 0, options.small_count, options.small_bytes);
  if (!small) return std::unexpected(small.error());
  auto bulk = set_up(kernel, buffers->rings_[1], 1, options.bulk_count, options.bulk_bytes);
  if (!bulk) return std::unexpected(bulk.error());
  for (Ring& ring : buffers->rings_) {
    for (unsigned id = ring.count; id > 0; --id) {
      buffers->add_spare(ring, static_cast<std::uint16_t>(id - 1));
    }
    buffers->fill(ring, ring.in_ring_wanted);
  }
  return buffers;
}

std::expected<void, std::string> ReceiveBuffers::set_up(Kernel& kernel, Ring& ring,
                                                        std::uint16_t group, unsigned count,
                                                        std::size_t bytes_each) {
  ring.shared = kernel.add_buffer_ring(count, group);
  if (ring.shared == nullptr) {
    return std::unexpected("receive buffers: " + explain_ring_error(errno));
  }
  ring.count = count;
  ring.in_ring_least = std::min(count, group == 0 ? kSmallInRing : kBulkInRing);
  ring.in_ring_wanted = ring.in_ring_least;
  ring.bytes_each = bytes_each;
  void* memory =
      mmap(nullptr, count * bytes_each, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return std::unexpected(std::string("receive buffers: ") + std::strerror(errno));
  }
  ring.memory = static_cast<std::byte*>(memory);
  ring.entries = std::make_unique<Entry[]>(count);
  return {};
}

ReceiveBuffers::~ReceiveBuffers() {
  for (std::size_t group = 0; group < rings_.size(); ++group) {
    Ring& ring = rings_[group];
    if (ring.shared != nullptr) {
      kernel_.remove_buffer_ring(ring.shared, ring.count, static_cast<std::uint16_t>(group));
    }
    if (ring.memory == nullptr) continue;
    unpoison(ring.memory, ring.count * ring.bytes_each);
    munmap(ring.memory, ring.count * ring.bytes_each);
  }
}

void ReceiveBuffers::add_to_ring(Ring& ring, std::uint16_t id) {
  std::byte* memory = ring.memory + id * ring.bytes_each;
  io_uring_buf_ring_add(ring.shared, memory, static_cast<unsigned>(ring.bytes_each), id,
                        static_cast<int>(ring.count) - 1, 0);
  io_uring_buf_ring_advance(ring.shared, 1);
  ++ring.in_ring;
}

void ReceiveBuffers::add_spare(Ring& ring, std::uint16_t id) {
  poison(ring.memory + id * ring.bytes_each, ring.bytes_each);
  ring.entries[id].next = std::exchange(ring.spare, id);
}

// As far as there are spare ones.
void ReceiveBuffers::fill(Ring& ring, unsigned wanted) {
  while (ring.in_ring < wanted && ring.spare != ReceivedQueue::kNone) {
    const auto id = static_cast<std::uint16_t>(ring.spare);
    ring.spare = ring.entries[id].next;
    add_to_ring(ring, id);
  }
}

void ReceiveBuffers::push(ReceivedQueue& queue, BufferGroup group, std::uint16_t id,
                          std::size_t size) {
  Ring& ring = rings_[index(group)];
  CHECK(id < ring.count && size <= ring.bytes_each, "the kernel names a buffer of ours");
  CHECK(ring.in_ring > 0, "the kernel fills a buffer of the ring");
  ++ring.lent;
  --ring.in_ring;
  fill(ring, ring.in_ring_wanted);
  if (group == BufferGroup::kSmall && join_last(queue, id, size)) return;
  ring.entries[id] = {ReceivedQueue::kNone, static_cast<std::uint32_t>(size)};
  unpoison(ring.memory + id * ring.bytes_each, size);
  const std::uint32_t link = link_of(group, id);
  if (queue.first_ == ReceivedQueue::kNone) {
    queue.first_ = link;
  } else {
    rings_[queue.last_ >> 31].entries[queue.last_ & ~kBulkBit].next = link;
  }
  queue.last_ = link;
}

bool ReceiveBuffers::join_last(ReceivedQueue& queue, std::uint16_t id, std::size_t size) {
  if (queue.empty() || (queue.last_ & kBulkBit) != 0) return false;
  Ring& ring = rings_[index(BufferGroup::kSmall)];
  Entry& last = ring.entries[queue.last_];
  if (last.size + size > ring.bytes_each) return false;
  std::byte* const behind = ring.memory + queue.last_ * ring.bytes_each + last.size;
  const std::byte* const bytes = ring.memory + id * ring.bytes_each;
  unpoison(behind, size);
  unpoison(bytes, size);
  std::copy_n(bytes, size, behind);
  last.size += static_cast<std::uint32_t>(size);
  give_back({id, BufferGroup::kSmall});
  return true;
}

Received ReceiveBuffers::pop(ReceivedQueue& queue) {
  CHECK(queue.first_ != ReceivedQueue::kNone, "nothing was received");
  Ring& ring = rings_[queue.first_ >> 31];
  const auto id = static_cast<std::uint16_t>(queue.first_ & ~kBulkBit);
  const BufferGroup group = queue.first_ >> 31 != 0 ? BufferGroup::kBulk : BufferGroup::kSmall;
  const Entry entry = ring.entries[id];
  queue.first_ = entry.next;
  return {{ring.memory + id * ring.bytes_each, entry.size}, {id, group}};
}

void ReceiveBuffers::give_back(BufferId buffer) {
  Ring& ring = rings_[index(buffer.group)];
  CHECK(ring.lent > 0, "a buffer came back twice");
  --ring.lent;
  add_spare(ring, buffer.number);
  fill(ring, ring.in_ring_wanted);
}

void ReceiveBuffers::give_back_all(ReceivedQueue& queue) {
  while (!queue.empty()) give_back(pop(queue).buffer);
}

void ReceiveBuffers::wait_for_buffer(BufferGroup group, Starved& starved) {
  CHECK(!starved.waiting(), "a socket waits for one buffer");
  Ring& ring = rings_[index(group)];
  // Once for all who found it empty at the same time.
  if (ring.starved.empty()) {
    ring.in_ring_wanted = std::min(ring.count, ring.in_ring_wanted * 2);
    fill(ring, ring.in_ring_wanted);
  }
  ring.starved.push(starved);
}

void ReceiveBuffers::feed_starved() {
  for (Ring& ring : rings_) {
    if (ring.starved.empty()) {
      note_quiet_turn(ring);
      continue;
    }
    ring.quiet_turns = 0;
    std::size_t available = ring.count - ring.lent;
    unsigned fed = 0;
    for (; available > 0 && !ring.starved.empty(); --available, ++fed) {
      ready_.push(ring.starved.pop().fed_);
    }
    // Each of them is to find one.
    fill(ring, std::max(ring.in_ring_wanted, fed));
  }
}

// What a crowd has needed is not needed for ever.
void ReceiveBuffers::note_quiet_turn(Ring& ring) {
  if (ring.in_ring_wanted <= ring.in_ring_least || ++ring.quiet_turns < kQuietTurns) return;
  ring.quiet_turns = 0;
  ring.in_ring_wanted = std::max(ring.in_ring_least, ring.in_ring_wanted / 2);
}

std::size_t ReceiveBuffers::lent() const {
  return rings_[0].lent + rings_[1].lent;
}

}  // namespace uring
