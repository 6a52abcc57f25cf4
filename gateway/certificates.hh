// The certificates of a listener, read and checked by the main thread; each shard makes its own
// contexts of them.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/log/log.hh"
#include "proto/tls/context.hh"

namespace gateway {

// Never empty. The error names the file; what is worth a warning goes to the log.
std::expected<std::vector<tls::Pem>, std::string> load_certificates(const config::Tls& settings,
                                                                    Log& log);

}  // namespace gateway
