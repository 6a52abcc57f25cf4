// Memory for records on their way through the TLS library, which wants a buffer for each and holds
// none while it is idle. They are used again and again, so that a steady state allocates nothing.
// One for all contexts of a shard, on its thread alone; it outlives their last session. Invariant:
// a free buffer is kept, within the bounds below, or given back to the system at once.
#pragma once

#include <cstddef>
#include <memory>

#include "proto/memory_counter.hh"

namespace tls {

class KeyLog;

namespace record {
class KeyCache;
}

class RecordBuffers {
 public:
  // Two sizes: for a request or a message, and for the largest record (RFC 8446 section 5.2) with
  // what the library adds. Larger ones, as handshakes may want them, are never kept.
  static constexpr std::size_t kSmallBytes = 1024;
  static constexpr std::size_t kLargeBytes = 17 * 1024;
  // The most that is kept of each: 336 KiB in all. With AddressSanitizer nothing, since it is to
  // see what is used too late.
  static const std::size_t kSmallKept;
  static const std::size_t kLargeKept;

  // `account` counts what they and the sessions of their contexts have.
  explicit RecordBuffers(proto::MemoryCounter account = {});
  ~RecordBuffers();
  RecordBuffers(const RecordBuffers&) = delete;
  RecordBuffers& operator=(const RecordBuffers&) = delete;

  // Aligned like malloc's; null where there is no memory.
  void* take(std::size_t bytes);
  void give_back(void* buffer);

  std::size_t in_use() const { return in_use_; }
  std::size_t kept() const { return small_.kept + large_.kept; }
  // How many the system was asked for so far.
  std::size_t allocated() const { return allocated_; }

  const proto::MemoryCounter& account() const { return account_; }

  // Sessions that begin from now on tell their secrets there; null, as it is at first: nowhere.
  void log_keys_to(KeyLog* log) { key_log_ = log; }
  // Of the heap of a context; null where secrets are not wanted, or with no heap.
  static KeyLog* key_log_in(void* heap);

  // What the shard's record layers have for their keys.
  record::KeyCache& keys();

  // Those of a context's heap; null: it has none.
  static RecordBuffers* of(void* heap);

  // What a context gets as its heap.
  void* heap();

 private:
  struct Heap;
  struct Buffer;
  // Free buffers of one size, linked through their own memory; the warmest first.
  struct Shelf {
    const std::size_t bytes;
    const std::size_t kept_max;
    std::size_t kept = 0;
    Buffer* first = nullptr;

    Buffer* pop();
    bool push(Buffer* buffer);  // false: there are enough
  };

  Shelf* shelf_for(std::size_t bytes);

  void free(Buffer* buffer);

  const proto::MemoryCounter account_;
  std::unique_ptr<Heap> heap_;
  std::unique_ptr<record::KeyCache> keys_;  // with the first that asks for it
  Shelf small_{kSmallBytes, kSmallKept};
  Shelf large_{kLargeBytes, kLargeKept};
  KeyLog* key_log_ = nullptr;
  std::size_t in_use_ = 0;
  std::size_t allocated_ = 0;
};

}  // namespace tls
