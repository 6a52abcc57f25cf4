// Hostile response heads: the first byte says in which parts the rest arrives.
#include <cstdint>

#include "proto/http/body.hh"
#include "proto/http/response.hh"
#include "tests/fuzz/http_head.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using fuzz::require;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  fuzz::head_does_not_depend_on_cuts<http::ResponseParser, http::ResponseHead>(input, data[0] + 1u);

  http::ResponseHead head;
  const auto state = http::ResponseParser(head, fuzz::kHeadLimits).parse(proto::as_bytes(input));
  if (!state) {
    require(state.error().status == 502, "every error is the upstream's");
    require(!state.error().reason.empty(), "an error says why");
  } else if (*state == http::HeadState::kComplete) {
    const proto::Bytes buffer = proto::as_bytes(input);
    fuzz::fields_are_clean(head, buffer);
    // Also of no class that is known (RFC 9110 section 15): three digits.
    require(head.status >= 100 && head.status <= 999, "the status is in range");
    require(http::is_text(head.reason.in(buffer)), "the phrase is text");
    for (const auto method : {http::Method::kGet, http::Method::kHead, http::Method::kConnect}) {
      http::response_framing(method, head);
    }
  }
  return 0;
}
