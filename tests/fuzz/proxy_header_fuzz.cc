// Hostile PROXY headers: the first byte says where the input is cut. The cut changes nothing, no
// byte behind the header is taken, and what was told comes back from a header that we write of it.
#include <algorithm>
#include <cstdint>
#include <string>

#include "proto/proxy/reader.hh"
#include "proto/proxy/writer.hh"
#include "tests/fuzz/require.hh"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto input = std::as_bytes(std::span(data, size)).subspan(1);

  proxy::HeaderReader whole;
  const auto taken = whole.feed(input);
  const std::size_t cut = std::min<std::size_t>(data[0], input.size());
  proxy::HeaderReader parts;
  const auto first = parts.feed(input.first(cut));
  const auto second = first ? parts.feed(input.subspan(*first)) : first;
  require(taken.has_value() == (first && second), "the cut changes nothing");
  if (!taken) return 0;
  require(*taken == *first + *second && whole.done() == parts.done() &&
              whole.endpoints() == parts.endpoints(),
          "the cut changes nothing");
  require(whole.done() || *taken == input.size(), "all is taken until the header is whole");
  if (!whole.done()) return 0;

  proxy::HeaderReader exact;
  require(exact.feed(input.first(*taken)) == *taken && exact.done(), "it ends where it ends");
  require(!proxy::HeaderReader(exact).feed(input).value_or(0), "nothing is taken behind it");
  proxy::Endpoints told = whole.endpoints();
  if (told.family == proxy::Family::kUnix) told = {};
  for (const proxy::Version version : {proxy::Version::kV1, proxy::Version::kV2}) {
    std::string header;
    write_header(header, version, told);
    proxy::HeaderReader again;
    require(again.feed(proto::as_bytes(header)) == header.size() && again.done() &&
                again.endpoints() == told,
            "what is written is read back");
  }
  return 0;
}
