#include "gateway/websocket/kept_text.hh"

#include <cstring>

#include "uring/check.hh"

namespace gateway {

KeptText::KeptText(uring::BlockPool& pool, std::string_view text) {
  CHECK(text.size() <= kBytesMax, "a text that is kept is short");
  if (text.empty()) return;
  uring::BlockPool* const from = &pool;
  const auto size = static_cast<Size>(text.size());
  block_ = static_cast<char*>(pool.take(kTextAt + size));
  std::memcpy(block_, &from, sizeof from);
  std::memcpy(block_ + kSizeAt, &size, sizeof size);
  std::memcpy(block_ + kTextAt, text.data(), size);
}

KeptText::~KeptText() {
  if (block_ == nullptr) return;
  uring::BlockPool* from = nullptr;
  std::memcpy(&from, block_, sizeof from);
  from->give_back(block_, kTextAt + text().size());
}

std::string_view KeptText::text() const {
  if (block_ == nullptr) return {};
  Size size = 0;
  std::memcpy(&size, block_ + kSizeAt, sizeof size);
  return {block_ + kTextAt, size};
}

}  // namespace gateway
