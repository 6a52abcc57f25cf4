// What the targets for request and response heads share: the input's first byte says how the rest
// is cut, and the outcome must not depend on that.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/bytes.hh"
#include "tests/fuzz/require.hh"
#include "tests/proto/http/outcome.hh"

namespace fuzz {

// Small, so that the bounds are met.
inline constexpr http::HeadLimits kHeadLimits{
    .head_bytes = 1024, .target_bytes = 128, .fields = 16};

template <class Parser, class Head>
void head_does_not_depend_on_cuts(std::string_view input, std::size_t cut) {
  http_test::Reading<Parser, Head> whole(input, kHeadLimits);
  whole.take(proto::as_bytes(input));

  http_test::Reading<Parser, Head> parts(input, kHeadLimits);
  for (std::size_t at = 0; at < input.size(); at += cut) {
    parts.take(proto::as_bytes(input.substr(at, cut)));
  }
  require(whole.outcome() == parts.outcome(), "the outcome does not depend on the cuts");
}

// Every field is a token and a text without outer whitespace, and is found by its name.
inline void fields_are_clean(const http::Head& head, proto::Bytes buffer) {
  for (const http::Field& field : head.fields.all()) {
    const std::string_view name = field.name.in(buffer);
    const std::string_view value = field.value.in(buffer);
    require(http::is_token(name), "a name is a token");
    require(http::is_text(value) && http::trim(value) == value, "a value is trimmed text");
    require(head.fields.contains(buffer, name), "a field is found");
    http::is_hop_by_hop(head.fields, buffer, name);
  }
  require(head.bytes <= std::min<std::size_t>(buffer.size(), kHeadLimits.head_bytes),
          "the head is bounded");
  require(!head.chunked || !head.content_length, "one framing");
}

}  // namespace fuzz
