// What links on the main thread's loop live on: those of the admin listener's clients, and of the
// collector of spans. Buffers of their own, so that they cost the shards nothing.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "gateway/link/link.hh"
#include "proto/tls/record_buffers.hh"

namespace gateway {

class MainLinks {
 public:
  static constexpr uring::ReceiveBufferOptions kReceiveBuffers{
      .small_count = 64, .small_bytes = 4096, .bulk_count = 2, .bulk_bytes = 65536};
  // Four full records, each with its type behind it (tls::Session::kOpenRoom).
  static constexpr std::size_t kPlaintextBytes = 64 * 1024 + 64;
  static constexpr std::size_t kBatchBudget = 4 * 1024 * 1024;

  // Once for a loop. The error says what is missing, and its cure.
  static std::expected<std::unique_ptr<MainLinks>, std::string> create(
      uring::Loop& loop, uring::MemoryAccount& memory);
  MainLinks(const MainLinks&) = delete;
  MainLinks& operator=(const MainLinks&) = delete;

  uring::LinkResources& resources() { return resources_; }
  tls::RecordBuffers& records() { return records_; }

 private:
  MainLinks(uring::Loop& loop, uring::MemoryAccount& memory,
            std::unique_ptr<uring::ReceiveBuffers> buffers);

  std::unique_ptr<uring::ReceiveBuffers> buffers_;
  uring::BatchPool batches_;
  std::vector<std::byte> plaintext_;
  tls::RecordBuffers records_;
  uring::LinkResources resources_;
};

}  // namespace gateway
