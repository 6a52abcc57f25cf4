#include "proto/tls/leaf.hh"

#include "proto/tls/certificate.hh"
#include "proto/tls/pem.hh"

namespace tls {

Leaf leaf_of(std::string_view chain) {
  for (const PemBlock& block : pem_blocks(chain)) {
    if (!block.whole || !block.label.ends_with("CERTIFICATE")) continue;
    const Certificate certificate(block.text);
    if (!certificate.is_readable()) break;
    return {certificate.name(), certificate.valid_until(), certificate.names()};
  }
  return {.name = "unknown", .valid_until = 0};
}

}  // namespace tls
