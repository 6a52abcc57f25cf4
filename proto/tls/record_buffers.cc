#include "proto/tls/record_buffers.hh"

#include <cassert>
#include <cstdlib>
#include <utility>

#include "proto/tls/record/key_cache.hh"
#include "proto/tls/wolf.hh"

namespace tls {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeeps = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif
#else
constexpr bool kKeeps = true;
#endif

}  // namespace

const std::size_t RecordBuffers::kSmallKept = kKeeps ? 64 : 0;
const std::size_t RecordBuffers::kLargeKept = kKeeps ? 16 : 0;

// What lies in front of the bytes that are handed out: the library gives back without a size.
struct alignas(std::max_align_t) RecordBuffers::Buffer {
  Shelf* shelf;  // null: never kept
  Buffer* next;
  std::size_t bytes_in_all;

  void* bytes() { return this + 1; }
  static Buffer* of(void* bytes) { return static_cast<Buffer*>(bytes) - 1; }
};

// The library's view.
struct RecordBuffers::Heap : gateway_record_memory {
  explicit Heap(RecordBuffers& self) : gateway_record_memory{take, give}, owner(self) {}

  static void* take(gateway_record_memory* memory, std::size_t bytes) {
    return static_cast<Heap*>(memory)->owner.take(bytes);
  }
  static void give(gateway_record_memory* memory, void* buffer) {
    static_cast<Heap*>(memory)->owner.give_back(buffer);
  }

  RecordBuffers& owner;
};

RecordBuffers* RecordBuffers::of(void* heap) {
  if (heap == nullptr) return nullptr;
  return &static_cast<Heap*>(static_cast<gateway_record_memory*>(heap))->owner;
}

KeyLog* RecordBuffers::key_log_in(void* heap) {
  const RecordBuffers* const buffers = of(heap);
  return buffers != nullptr ? buffers->key_log_ : nullptr;
}

record::KeyCache& RecordBuffers::keys() {
  if (keys_ == nullptr) {
    keys_ = std::make_unique<record::KeyCache>(record::fastest_aead(), record::KeyCache::kPlaces,
                                               account_);
  }
  return *keys_;
}

RecordBuffers::Buffer* RecordBuffers::Shelf::pop() {
  if (first == nullptr) return nullptr;
  --kept;
  return std::exchange(first, first->next);
}

bool RecordBuffers::Shelf::push(Buffer* buffer) {
  if (kept == kept_max) return false;
  ++kept;
  buffer->next = std::exchange(first, buffer);
  return true;
}

RecordBuffers::RecordBuffers(proto::MemoryCounter account)
    : account_(account), heap_(std::make_unique<Heap>(*this)) {}

RecordBuffers::~RecordBuffers() {
  assert(in_use_ == 0);  // else a session outlived them
  for (Shelf* const shelf : {&small_, &large_}) {
    while (Buffer* const buffer = shelf->pop()) free(buffer);
  }
}

void RecordBuffers::free(Buffer* buffer) {
  account_.remove(buffer->bytes_in_all);
  std::free(buffer);
}

void* RecordBuffers::heap() {
  // The library looks at the base.
  return static_cast<gateway_record_memory*>(heap_.get());
}

RecordBuffers::Shelf* RecordBuffers::shelf_for(std::size_t bytes) {
  if (bytes <= kSmallBytes) return &small_;
  return bytes <= kLargeBytes ? &large_ : nullptr;
}

void* RecordBuffers::take(std::size_t bytes) {
  Shelf* const shelf = shelf_for(bytes);
  Buffer* buffer = shelf != nullptr ? shelf->pop() : nullptr;
  if (buffer == nullptr) {
    const std::size_t size = shelf != nullptr ? shelf->bytes : bytes;
    buffer = static_cast<Buffer*>(std::malloc(sizeof(Buffer) + size));
    if (buffer == nullptr) return nullptr;
    ++allocated_;
    buffer->bytes_in_all = sizeof(Buffer) + size;
    account_.add(buffer->bytes_in_all);
  }
  buffer->shelf = shelf;
  ++in_use_;
  return buffer->bytes();
}

void RecordBuffers::give_back(void* bytes) {
  assert(in_use_ > 0);
  --in_use_;
  Buffer* const buffer = Buffer::of(bytes);
  const bool is_kept = buffer->shelf != nullptr && buffer->shelf->push(buffer);
  if (!is_kept) free(buffer);
}

}  // namespace tls
