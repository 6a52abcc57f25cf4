// Trailer sections as they are passed on. Many receivers merge trailers into the head, so what has
// decided something there must not come late.
#include <algorithm>
#include <utility>

#include "gateway/rewrite/fields.hh"
#include "gateway/rewrite/forward.hh"
#include "gateway/rewrite/owned_fields.hh"
#include "proto/http/syntax.hh"

namespace gateway {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// RFC 9110 section 6.5.1; what is for one hop, or has an owner, is left out apart.
constexpr std::string_view kNotInTrailers[] = {
    // routing
    "Via",
    // request modifiers
    "Cache-Control",
    "Expect",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Max-Forwards",
    "Pragma",
    "Range",
    // who it is
    "Authorization",
    "Cookie",
    "Origin",
    "Set-Cookie",
    "WWW-Authenticate",
    // response control
    "Age",
    "Date",
    "Expires",
    "Location",
    "Retry-After",
    "Vary",
    "Warning",
    // how the content is processed
    "Content-Encoding",
    "Content-Range",
    "Content-Type",
};

constexpr std::string_view kWebSocketPrefix = "Sec-WebSocket-";

bool belongs_in_a_head(std::string_view name) {
  return owner_of(name, http::field_tag(name)) != Owner::kClient ||
         equals_as_variable(kWebSocketPrefix, name.substr(0, kWebSocketPrefix.size())) ||
         std::ranges::any_of(kNotInTrailers, [&](std::string_view known) {
           return equals_as_variable(known, name);
         });
}

bool passes(std::string_view name, const HopFilter& hops, const FieldChanges& changes) {
  return !hops.removes(name) && !belongs_in_a_head(name) && !changes.replaces(name);
}

}  // namespace

void add_trailer_names(std::string& head, const http::Head& message, proto::Bytes buffer,
                       const FieldChanges& changes) {
  const HopFilter hops(message.fields, buffer);
  bool begun = false;
  message.fields.for_each(buffer, "Trailer", [&](std::string_view value) {
    http::ListReader names(value);
    while (const auto name = names.next()) {
      if (!http::is_token(*name) || !passes(*name, hops, changes)) continue;
      head.append(std::exchange(begun, true) ? ", " : "Trailer: ").append(*name);
    }
  });
  if (begun) head.append("\r\n");
}

void forward_trailers(std::string& trailers, std::string_view section,
                      const http::Fields& head_fields, proto::Bytes head_buffer,
                      const config::HeaderChanges& changes_of_route) {
  const HopFilter hops(head_fields, head_buffer);
  const FieldChanges changes(changes_of_route);
  while (!section.empty()) {
    const std::size_t end = section.find(kLineEnd);
    if (end == section.npos) return;  // a line without an end is none
    const std::string_view line = section.substr(0, end + kLineEnd.size());
    const std::string_view name = line.substr(0, line.find(':'));
    if (passes(name, hops, changes)) trailers.append(line);
    section.remove_prefix(line.size());
  }
}

}  // namespace gateway
