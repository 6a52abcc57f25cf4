// A certificate for development, made in memory: ECDSA P-256, for localhost, 127.0.0.1 and ::1,
// signed by itself.
#pragma once

#include <chrono>
#include <expected>
#include <string>

#include "proto/tls/context.hh"

namespace tls {

// Valid from an hour ago for `validity` days; a random serial number, so that no client confuses
// two of them.
std::expected<Pem, std::string> make_self_signed(
    std::chrono::days validity = std::chrono::days(90));

}  // namespace tls
