// TLS towards the servers of a pool, as a thread has it.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "gateway/config/config.hh"
#include "proto/tls/context.hh"
#include "proto/tls/record_buffers.hh"

namespace gateway {

// Precondition: the pool has TLS. The error names the pool.
std::expected<std::unique_ptr<tls::ClientContext>, std::string> load_client_context(
    const config::Pool& pool, tls::RecordBuffers* buffers);

}  // namespace gateway
