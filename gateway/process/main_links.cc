#include "gateway/process/main_links.hh"

#include <utility>

namespace gateway {

std::expected<std::unique_ptr<MainLinks>, std::string> MainLinks::create(
    uring::Loop& loop, uring::MemoryAccount& memory) {
  auto buffers = uring::ReceiveBuffers::create(loop.kernel(), loop.ready(), kReceiveBuffers);
  if (!buffers) return std::unexpected(std::move(buffers.error()));
  loop.set_receive_buffers(**buffers);
  return std::unique_ptr<MainLinks>(new MainLinks(loop, memory, std::move(*buffers)));
}

MainLinks::MainLinks(uring::Loop& loop, uring::MemoryAccount& memory,
                     std::unique_ptr<uring::ReceiveBuffers> buffers)
    : buffers_(std::move(buffers)),
      batches_(kBatchBudget, &memory),
      plaintext_(kPlaintextBytes),
      records_({.own = &memory.counter(uring::MemoryKind::kTls)}),
      resources_{loop, *buffers_, batches_, plaintext_} {}

}  // namespace gateway
