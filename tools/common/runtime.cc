#include "tools/common/runtime.hh"

#include "uring/probe.hh"

namespace tools {
namespace {

// Five TLS records: a full bulk buffer is opened in one go.
constexpr std::size_t kPlaintextBytes = std::size_t{5} * tls::Session::kOpenRoom;

}  // namespace

std::expected<std::unique_ptr<Runtime>, std::string> Runtime::create(std::size_t batch_budget) {
  uring::raise_descriptor_limit();
  auto kernel = uring::IoUringKernel::create({});
  if (!kernel) return std::unexpected(kernel.error());
  (*kernel)->enable();
  std::unique_ptr<Runtime> runtime(new Runtime(std::move(*kernel), batch_budget));
  uring::Loop& loop = runtime->loop_;
  auto buffers = uring::ReceiveBuffers::create(*runtime->kernel_, loop.ready(), {});
  if (!buffers) return std::unexpected(buffers.error());
  runtime->buffers_ = std::move(*buffers);
  loop.set_receive_buffers(*runtime->buffers_);
  runtime->links_.emplace(loop, *runtime->buffers_, runtime->pool_, runtime->plaintext_);
  return runtime;
}

Runtime::Runtime(std::unique_ptr<uring::IoUringKernel> kernel, std::size_t batch_budget)
    : kernel_(std::move(kernel)),
      loop_(*kernel_),
      pool_(batch_budget),
      plaintext_(kPlaintextBytes) {}

}  // namespace tools
