// Hostile certificates: what is told of them is printable ASCII, of a bounded size, and has as many
// separators as it has parts: none comes out of a value.
#include <algorithm>
#include <cstdint>
#include <string>

#include "proto/tls/certificate_facts.hh"
#include "tests/fuzz/require.hh"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto facts = tls::read_facts(std::as_bytes(std::span(data, size)));
  if (!facts) {
    require(!facts.error().empty(), "a failure says why");
    return 0;
  }
  require(facts->bytes() <= tls::CertificateFacts::kBytesMax, "it is bounded");
  for (const std::string* text :
       {&facts->subject, &facts->issuer, &facts->names, &facts->serial, &facts->fingerprint}) {
    require(std::ranges::all_of(*text, [](char c) { return c >= 0x20 && c < 0x7f; }),
            "it is printable");
  }
  std::size_t at = 0;
  while (at < facts->names.size()) {
    const std::size_t end = std::min(facts->names.find(", ", at), facts->names.size());
    const std::string one = facts->names.substr(at, end - at);
    require(one.starts_with("DNS:") || one.starts_with("URI:") || one.starts_with("EMAIL:") ||
                one.starts_with("IP:"),
            "each name says of which kind it is");
    require(one.find_first_of(" ,;\"") == one.npos, "a name has no separator in it");
    at = end + 2;
  }
  require(facts->fingerprint.size() == 64, "a fingerprint has one size");
  return 0;
}
