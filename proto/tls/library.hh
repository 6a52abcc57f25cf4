// The TLS library as a whole: to be warmed up once, and what `--version` tells of it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace tls {

// One handshake of each kind, on the main thread before any other thread uses TLS: the library
// finds out the CPU's features lazily, and without locks. The error text names the kind that
// failed.
std::expected<void, std::string> warm_up();

std::string_view library_version();  // "wolfSSL 5.9.2"

// Whose ciphers seal and open the records of TLS 1.3 on this processor: "libipsec-mb 1.3.0", or
// "wolfCrypt".
std::string_view records_sealed_by();

// What this build of the library does not have, for people: "X25519MLKEM768"; empty when nothing is
// missing.
std::string_view lacks();

}  // namespace tls
