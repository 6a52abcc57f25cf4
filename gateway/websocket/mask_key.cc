#include "gateway/websocket/mask_key.hh"

namespace gateway {

ws::MaskKey random_mask_key(uring::Kernel& kernel) {
  ws::MaskKey key;
  kernel.fill_random(key);
  return key;
}

}  // namespace gateway
