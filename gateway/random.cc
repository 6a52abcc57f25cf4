#include "gateway/random.hh"

#include <sys/random.h>

#include "uring/check.hh"

namespace gateway {

ws::MaskKey random_mask_key() {
  ws::MaskKey key;
  const ssize_t size = getrandom(key.data(), key.size(), 0);
  CHECK(size == static_cast<ssize_t>(key.size()), "getrandom gives so few bytes at once");
  return key;
}

}  // namespace gateway
