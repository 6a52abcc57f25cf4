// Unpredictable values for what we send of our own: mask keys (RFC 6455 section 5.3).
#pragma once

#include "proto/ws/frame.hh"
#include "uring/kernel.hh"

namespace gateway {

ws::MaskKey random_mask_key(uring::Kernel& kernel);

}  // namespace gateway
