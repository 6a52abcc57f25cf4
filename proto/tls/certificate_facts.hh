// Whose a client's certificate is, as text for those who stand behind a gateway: printable ASCII
// without a line's end, whatever the certificate says. What could be taken for another one's is
// never written: a byte that separates, or that is not printable, stands as "\XX", and nothing is
// cut off.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "proto/bytes.hh"

namespace tls {

struct CertificateFacts {
  // All of it together: so much fits into the heads that servers take.
  static constexpr std::size_t kBytesMax = 4096;

  std::string subject;  // "CN=someone,O=Example" (RFC 4514); may be empty
  std::string issuer;   // likewise
  std::string names;    // the alternative ones: "DNS:a.test, URI:spiffe://a/b, EMAIL:a@b, IP:::1"
  std::string serial;   // hexadecimal: "0A1B"
  std::string fingerprint;  // SHA-256 of the whole certificate, hexadecimal

  std::size_t bytes() const {
    return subject.size() + issuer.size() + names.size() + serial.size() + fingerprint.size();
  }
};

// Of a certificate in DER. Alternative names of other kinds are left out. A failure is static text.
std::expected<CertificateFacts, std::string_view> read_facts(proto::Bytes der);

}  // namespace tls
