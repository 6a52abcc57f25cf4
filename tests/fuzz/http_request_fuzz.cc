// Hostile request heads: the first byte says in which parts the rest arrives.
#include <array>
#include <cstdint>

#include "proto/http/body.hh"
#include "proto/http/request.hh"
#include "proto/http/target.hh"
#include "tests/fuzz/http_head.hh"

namespace {

using fuzz::require;

void complete_head_is_sound(const http::RequestHead& head, proto::Bytes buffer) {
  fuzz::fields_are_clean(head, buffer);
  require(http::is_token(head.method_text.in(buffer)), "the method is a token");
  require(head.target.length <= fuzz::kHeadLimits.target_bytes, "the target is bounded");
  require(head.minor_version == 0 || !head.authority.empty(), "HTTP/1.1 has an authority");
  std::array<char, 1024> storage;
  if (!head.authority.empty()) {
    const std::span<char, http::kHostMax> of_host(storage.data(), http::kHostMax);
    require(http::normalise_host(head.authority.in(buffer), of_host).has_value(),
            "the authority is valid");
  }
  if (head.form == http::TargetForm::kOrigin) {
    require(head.path.length + head.query.length == head.target.length, "path and query are all");
  }
  http::normalise_path(head.path.in(buffer), storage);
  const http::BodyFraming framing = http::request_framing(head);
  require(framing.kind != http::Framing::kUntilClose, "a request's body has an end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  fuzz::head_does_not_depend_on_cuts<http::RequestParser, http::RequestHead>(input, data[0] + 1u);

  http::RequestHead head;
  const auto state = http::RequestParser(head, fuzz::kHeadLimits).parse(proto::as_bytes(input));
  if (!state) {
    const http::HeadError& error = state.error();
    require(error.status == 400 || error.status == 414 || error.status == 431 ||
                error.status == 501 || error.status == 505,
            "an error has one of these statuses");
    require(!error.reason.empty(), "an error says why");
  } else if (*state == http::HeadState::kComplete) {
    complete_head_is_sound(head, proto::as_bytes(input));
  }
  return 0;
}
