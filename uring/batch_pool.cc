#include "uring/batch_pool.hh"

#include <algorithm>
#include <cstring>
#include <new>

#include "uring/check.hh"

namespace uring {
namespace {

constexpr std::size_t kShareDivisor = 16;

}  // namespace

BatchPool::~BatchPool() {
  CHECK(in_use_ == 0, "a batch outlived its pool");
  trim();
}

void BatchPool::trim() {
  for (std::size_t index = 0; index < free_.size(); ++index) {
    for (std::byte* memory : free_[index]) give_to_system(memory, index);
    free_[index].clear();
  }
}

void BatchPool::give_to_system(std::byte* memory, std::size_t size_index) {
  ::operator delete(memory);
  if (account_ != nullptr) account_->remove(kSizes[size_index], MemoryKind::kBatches);
}

std::byte* BatchPool::take(std::size_t size_index) {
  in_use_ += kSizes[size_index];
  std::vector<std::byte*>& list = free_[size_index];
  if (list.empty()) {
    if (account_ != nullptr) account_->add(kSizes[size_index], MemoryKind::kBatches);
    return static_cast<std::byte*>(::operator new(kSizes[size_index]));
  }
  std::byte* memory = list.back();
  list.pop_back();
  return memory;
}

void BatchPool::put_back(std::byte* memory, std::size_t size_index) {
  in_use_ -= kSizes[size_index];
  const bool is_scarce = account_ != nullptr && account_->is_scarce();
  if (!is_scarce && free_[size_index].size() < kKept[size_index]) {
    free_[size_index].push_back(memory);
  } else {
    give_to_system(memory, size_index);
  }
}

void BatchPool::reserve(Batch& batch, std::size_t more) {
  const std::size_t needed = batch.size + more;
  if (needed <= batch.capacity) return;
  CHECK(needed <= kBatchMax, "a batch grew beyond what was reserved for it");
  const auto size_index =
      static_cast<std::size_t>(std::ranges::lower_bound(kSizes, needed) - kSizes.begin());
  Batch grown{take(size_index), batch.size, static_cast<std::uint32_t>(kSizes[size_index])};
  if (batch.size > 0) std::memcpy(grown.data, batch.data, batch.size);
  give_back(batch);
  batch = grown;
}

void BatchPool::give_back(Batch& batch) {
  if (batch.data != nullptr) {
    put_back(batch.data, static_cast<std::size_t>(std::ranges::lower_bound(kSizes, batch.capacity) -
                                                  kSizes.begin()));
  }
  batch = {};
}

std::size_t BatchPool::share() const {
  if (account_ != nullptr && account_->is_scarce()) return kShareFloor;
  const std::size_t committed = committed_;
  const std::size_t left = budget_ > committed ? budget_ - committed : 0;
  return std::min(kShareFloor + left / kShareDivisor, kShareMax);
}

void BatchPool::commit(std::uint32_t& committed, std::size_t reserved) {
  const std::size_t beyond_floor = reserved > kShareFloor ? reserved - kShareFloor : 0;
  committed_.set(committed_ - committed + beyond_floor);
  committed = static_cast<std::uint32_t>(beyond_floor);
}

}  // namespace uring
