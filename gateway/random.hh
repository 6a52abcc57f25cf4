// Unpredictable bytes for what we send of our own: mask keys (RFC 6455 section 5.3).
#pragma once

#include "proto/ws/frame.hh"

namespace gateway {

ws::MaskKey random_mask_key();

}  // namespace gateway
