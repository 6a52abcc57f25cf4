// A text of any length, written to a link in pieces that its batch has room for.
#pragma once

#include <algorithm>
#include <string_view>

#include "gateway/link/link.hh"
#include "uring/task.hh"

namespace gateway {

// Until all has been taken by the kernel, or can't be any more, or the link is aborted. The text
// outlives it.
inline uring::Task<> write_all(Link& link, std::string_view text) {
  constexpr std::size_t kPieceBytes = 32 * 1024;
  while (!text.empty() && !link.send_failed() && link.end() != uring::LinkEnd::kAborted) {
    const std::string_view piece = text.substr(0, kPieceBytes);
    text.remove_prefix(piece.size());
    link.write(proto::as_bytes(piece));
    co_await link.drained();
  }
}

}  // namespace gateway
