// Hostile handshake fields, as lines of `name:value`: judged as a request and as the response to
// themselves.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "proto/ws/handshake.hh"
#include "tests/fuzz/require.hh"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view lines(reinterpret_cast<const char*>(data), size);
  ws::HandshakeFields fields;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const std::size_t colon = std::min(line.find(':'), line.size());
    fields.add(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
  }

  using Kind = ws::RequestVerdict::Kind;
  const auto verdict = ws::judge_request("GET", true, fields);
  require((verdict.kind == Kind::kRefuse) == !verdict.reason.empty(), "a refusal has a reason");
  require((verdict.kind == Kind::kRefuse) == (verdict.status == 400 || verdict.status == 426),
          "a refusal has a status");
  require(ws::judge_request("GET", false, fields).kind == Kind::kNotAsked, "HTTP/1.0 cannot ask");

  constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
  const auto key = verdict.kind == Kind::kAccept ? verdict.key : kKey;
  require(ws::as_text(ws::accept_key(key)).size() == 28, "a key has its answer");
  const auto agreed = ws::judge_response(101, fields, fields, key);
  require(agreed || !agreed.error().empty(), "a rejection has a reason");
  require(!agreed || fields.accept.count == 1, "an accepted response has one Sec-WebSocket-Accept");
  require(!ws::judge_response(200, fields, fields, key), "only a 101 accepts");
  const auto agreed_by = [&](ws::ExtensionPolicy policy) {
    return ws::judge_response(101, fields, fields, key, {.extensions = policy});
  };
  const auto strict = agreed_by(ws::ExtensionPolicy::kUncompressing);
  require(!strict || (agreed && !strict->deflate), "what was taken out is not agreed on");
  const auto none = agreed_by(ws::ExtensionPolicy::kNone);
  require(!none || (strict && ws::reserved_bits(*none) == 0), "where none pass none is agreed on");
  return 0;
}
