// A certificate for development, made in memory: ECDSA P-256, for localhost, 127.0.0.1 and ::1,
// signed by itself.
#pragma once

#include <chrono>
#include <expected>
#include <string>

#include "proto/tls/context.hh"

namespace tls {

// Valid from yesterday for `validity` days. Serial number and subject are random, so that a client
// that trusts one of them does not take another for it.
std::expected<Pem, std::string> make_self_signed(
    std::chrono::days validity = std::chrono::days(90));

}  // namespace tls
