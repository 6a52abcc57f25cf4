// Hostile OCSP responses, and certificates: a 16-bit length, so much of a certificate, the rest a
// response. Whatever they say, a failure has one line of printable text, and what is read is in
// order.
#include <algorithm>
#include <cstdint>

#include "proto/tls/ocsp_response.hh"
#include "tests/fuzz/require.hh"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto bytes = std::as_bytes(std::span(data + 2, size - 2));
  const std::size_t wanted = static_cast<std::size_t>(data[0]) << 8 | data[1];
  const std::size_t of_certificate = std::min(wanted, bytes.size());
  const auto status =
      tls::read_ocsp_response(bytes.subspan(of_certificate), bytes.first(of_certificate));
  if (status) {
    require(status->until != 0, "it has an end");
    require(status->kind <= tls::OcspStatus::Kind::kUnknown, "it says one of three things");
    require(!status->is_worth_showing(status->until), "at its end it is stale");
  } else {
    require(!status.error().empty() && status.error().size() < 300, "a failure is one line");
    require(std::ranges::all_of(status.error(), [](char c) { return c >= 0x20 && c < 0x7f; }),
            "it is printable");
  }
  return 0;
}
