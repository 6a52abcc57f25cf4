// PEM text (RFC 7468): blocks between BEGIN and END lines, where a BEGIN may stand right behind an
// END. What stands between blocks is passed over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tls {

struct PemBlock {
  std::string_view label;  // "CERTIFICATE"
  std::string_view text;   // with its BEGIN and END lines; without an END line only the BEGIN
  bool whole = false;      // it has its END line
};

// In their order; the views are into `pem`.
std::vector<PemBlock> pem_blocks(std::string_view pem);

// The first private key; without a label where there is none.
PemBlock private_key_of(std::string_view pem);
// In the way of PKCS #8, or in that of RFC 1421.
bool is_encrypted(const PemBlock& key);

// Nothing but the whole certificates.
std::string certificates_of(std::string_view pem);

}  // namespace tls
