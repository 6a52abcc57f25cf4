// Inflaters and Deflaters of one shard, within a budget of memory. Who needs one borrows it, for a
// message or for a connection's life; what comes back is reset and kept for the next, a few of a
// kind, until the budget is needed otherwise. Single-threaded; the pool outlives what it has lent.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "proto/memory_counter.hh"
#include "proto/ws/deflate.hh"

namespace ws {

class CodecPool;

// What was borrowed, or null. It goes back with the handle.
template <class Codec>
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept
      : pool_(other.pool_), codec_(std::exchange(other.codec_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept {
    Lease(std::move(other)).swap(*this);
    return *this;
  }
  ~Lease();

  explicit operator bool() const { return codec_ != nullptr; }
  Codec& operator*() const { return *codec_; }
  Codec* operator->() const { return codec_; }
  Codec* get() const { return codec_; }

 private:
  friend class CodecPool;
  Lease(CodecPool& pool, Codec* codec) : pool_(&pool), codec_(codec) {}
  void swap(Lease& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(codec_, other.codec_);
  }

  CodecPool* pool_ = nullptr;
  Codec* codec_ = nullptr;
};

class CodecPool {
 public:
  static constexpr std::size_t kIdleMax = 4;  // of a kind

  // `account` counts what it has.
  explicit CodecPool(std::size_t memory_bytes_max, proto::MemoryCounter account = {});
  ~CodecPool();
  CodecPool(const CodecPool&) = delete;
  CodecPool& operator=(const CodecPool&) = delete;

  // Null: the budget is spent, or the machine's memory. Preconditions as of their constructors.
  Lease<Inflater> inflater(int window_bits);
  Lease<Deflater> deflater(int level, int window_bits);

  // What is lent and what is kept, never above the budget.
  std::size_t memory_bytes() const { return memory_bytes_; }
  std::size_t lent_bytes() const { return lent_bytes_; }

 private:
  template <class Codec>
  friend class Lease;

  // One kind. Null in `idle` from `idle_count` on.
  template <class Codec>
  struct Shelf {
    std::size_t codec_bytes = 0;  // of each, once there was one
    std::size_t idle_count = 0;
    std::array<std::unique_ptr<Codec>, kIdleMax> idle;
  };
  template <class Codec, class... Settings>
  Lease<Codec> lend(Shelf<Codec>& shelf, Settings... settings);
  template <class Codec>
  void take_back(Shelf<Codec>& shelf, std::unique_ptr<Codec> codec);
  void note_taken(std::size_t bytes);
  void note_freed(std::size_t bytes);
  template <class Shelves>
  bool free_idle_of(Shelves& shelves);
  bool free_idle() { return free_idle_of(deflaters_) || free_idle_of(inflaters_); }
  void give_back(Inflater* inflater);
  void give_back(Deflater* deflater);
  Shelf<Inflater>& shelf_of(int window_bits);
  Shelf<Deflater>& shelf_of(int level, int window_bits);

  const std::size_t memory_bytes_max_;
  const proto::MemoryCounter account_;
  std::size_t memory_bytes_ = 0;
  std::size_t lent_bytes_ = 0;
  std::array<Shelf<Inflater>, 8> inflaters_;      // windows of 8 to 15 bits
  std::array<Shelf<Deflater>, 9 * 7> deflaters_;  // levels 1 to 9, windows of 9 to 15 bits
};

template <class Codec>
Lease<Codec>::~Lease() {
  if (codec_ != nullptr) pool_->give_back(codec_);
}

}  // namespace ws
