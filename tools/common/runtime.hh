// What a tool needs to run connections on one thread: the ring, its loop, the buffers and the
// memory of outbound batches. Made and used on the same thread, and lives as long as the program.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/bytes.hh"
#include "proto/tls/session.hh"
#include "uring/io_uring_kernel.hh"
#include "uring/link.hh"

namespace tools {

using Link = uring::Link<tls::Session, tls::Sink>;

// What a link yields lies in a receive buffer or in the loop's plaintext: memory of this program,
// that the reader may unmask in place until its next read.
inline proto::MutableBytes writable(proto::Bytes yielded) {
  return {const_cast<std::byte*>(yielded.data()), yielded.size()};
}

class Runtime {
 public:
  // `batch_budget` bounds what is under way to slow peers (BatchPool). The error names its cure.
  static std::expected<std::unique_ptr<Runtime>, std::string> create(std::size_t batch_budget);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  uring::Loop& loop() { return loop_; }
  uring::LinkResources& links() { return *links_; }

 private:
  Runtime(std::unique_ptr<uring::IoUringKernel> kernel, std::size_t batch_budget);

  std::unique_ptr<uring::IoUringKernel> kernel_;
  uring::Loop loop_;
  std::unique_ptr<uring::ReceiveBuffers> buffers_;
  uring::BatchPool pool_;
  std::vector<std::byte> plaintext_;
  std::optional<uring::LinkResources> links_;
};

}  // namespace tools
