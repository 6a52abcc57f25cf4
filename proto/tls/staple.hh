// The file of an OCSP response that a server is to show beside its certificate (RFC 6066 section
// 8), as `openssl ocsp -respout` and those who renew certificates write it. All that is wrong with
// it is found here, in words that fit behind the file's name.
#pragma once

#include <string>
#include <string_view>

#include "proto/tls/credentials.hh"
#include "proto/tls/ocsp_response.hh"

namespace tls {

// Whether the library that this is built with can show one.
bool can_staple();

struct StapleFile {
  std::string der;    // for Pem::staple; empty where there are faults
  OcspStatus status;  // that it says
  Findings found;     // with any warning but that of a revoked certificate, nobody is shown it
};

// `text` is DER, or PEM with the label "OCSP RESPONSE". `chain` is the certificate's, which is
// good.
StapleFile read_staple(std::string_view text, const std::string& chain);

// "2026-11-29 12:00:00 UTC"
std::string moment_text(std::int64_t seconds);

}  // namespace tls
