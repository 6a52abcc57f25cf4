// Responses as clients get them.
#include <utility>

#include "gateway/rewrite/fields.hh"
#include "gateway/rewrite/forward.hh"
#include "gateway/rewrite/offers.hh"
#include "proto/http/cookie.hh"
#include "proto/http/syntax.hh"

namespace gateway {
namespace {

constexpr std::size_t kOwnBytes = 128;  // about what the gateway's own lines take

void begin_head(std::string& head, const http::ResponseHead& response, proto::Bytes buffer) {
  head.reserve(head.size() + response.bytes + kOwnBytes);
  head.append(kStatusLineStart);
  add_number(head, response.status);
  append_all(head, {" ", response.reason.in(buffer), "\r\n"});
}

// Whether a field sets the cookie that is the gateway's.
bool sets(std::string_view name, std::string_view value, const StickyCookie& sticky) {
  if (sticky.name.empty() || !http::equals_ignoring_case(name, "Set-Cookie")) return false;
  const auto cookie = http::CookieReader(value).next();
  return cookie && cookie->name == sticky.name;
}

// All but the length, which is a matter of the framing and is told once, and what is meant for one
// hop. `switches`: it is a 101.
void add_fields(std::string& head, const http::ResponseHead& response, proto::Bytes buffer,
                const FieldChanges& changes, bool keeps_length, bool switches = false,
                const StickyCookie& sticky = {}) {
  const HopFilter hops(response.fields, buffer);
  for (const http::Field& field : response.fields.all()) {
    const std::string_view name = field.name.in(buffer);
    const std::string_view value = field.value.in(buffer);
    if (switches && is_offer(name) && ws::is_empty_list(value)) continue;
    if (sets(name, value, sticky)) continue;
    if (http::equals_ignoring_case(name, "Content-Length")) {
      if (std::exchange(keeps_length, false)) {
        add_framing(head, {http::Framing::kLength, response.content_length.value_or(0)});
      }
    } else if (!changes.drops(name) && !hops.removes(name)) {
      add_line(head, name, value);
    }
  }
}

// What may be spoken instead (RFC 9110 section 7.8) is lost on the way, but for 426, which is about
// nothing else (section 15.5.22). False: there is none.
bool add_upgrades(std::string& head, const http::ResponseHead& response, proto::Bytes buffer) {
  if (response.status != 426) return false;
  bool offered = false;
  response.fields.for_each(buffer, "Upgrade", [&](std::string_view protocols) {
    if (protocols.empty()) return;
    add_line(head, "Upgrade", protocols);
    offered = true;
  });
  return offered;
}

}  // namespace

void forward_response(std::string& head, const http::ResponseHead& response, proto::Bytes buffer,
                      const ResponseForwarding& forwarding) {
  const FieldChanges changes(forwarding.changes);
  begin_head(head, response, buffer);
  // Of a response without a body (to HEAD, 304) the length tells what a GET would have got.
  const bool keeps_length =
      forwarding.framing.kind == http::Framing::kNone && response.status != 204;
  add_fields(head, response, buffer, changes, keeps_length, false, forwarding.sticky);
  add_framing(head, forwarding.framing);
  if (forwarding.framing.kind == http::Framing::kChunked) {
    add_trailer_names(head, response, buffer, changes);
  }
  if (!changes.drops("Via")) add_via(head, response.minor_version, forwarding.via);
  changes.add_to(head);
  if (!forwarding.sticky.set.empty()) add_line(head, "Set-Cookie", forwarding.sticky.set);
  // Not to HTTP/1.0, which knows no upgrades.
  const bool upgrade =
      forwarding.persistence != Persistence::kKeepAlive && add_upgrades(head, response, buffer);
  add_connection(head, forwarding.persistence, upgrade);
  head.append("\r\n");
}

void forward_interim(std::string& head, const http::ResponseHead& response, proto::Bytes buffer,
                     const config::HeaderChanges& changes) {
  begin_head(head, response, buffer);
  add_fields(head, response, buffer, FieldChanges(changes), false);
  head.append("\r\n");
}

void forward_switch(std::string& head, const http::ResponseHead& response, proto::Bytes buffer,
                    std::string_view via, const config::HeaderChanges& changes_of_route,
                    const std::optional<ws::Deflate>& deflate, const StickyCookie& sticky,
                    std::string_view protocol) {
  const FieldChanges changes(changes_of_route);
  begin_head(head, response, buffer);
  add_line(head, "Upgrade", protocol);
  add_line(head, "Connection", "Upgrade");
  if (deflate) add_agreement(head, *deflate);
  add_fields(head, response, buffer, changes, false, true, sticky);
  if (!changes.drops("Via")) add_via(head, response.minor_version, via);
  changes.add_to(head);
  if (!sticky.set.empty()) add_line(head, "Set-Cookie", sticky.set);
  head.append("\r\n");
}

}  // namespace gateway
