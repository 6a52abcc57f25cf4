// The gateway's links: the runtime's, with our TLS.
#pragma once

#include "proto/tls/session.hh"
#include "uring/link.hh"

namespace gateway {

using Link = uring::Link<tls::Session, tls::Sink>;
using proto::Bytes;

}  // namespace gateway
