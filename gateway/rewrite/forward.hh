// Heads as they are passed on: what is meant for one hop is left out, what the next one must know
// is set, everything else keeps its case and its order (RFC 9110 section 7.6).
#pragma once

#include <cstddef>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/config/config.hh"
#include "proto/bytes.hh"
#include "proto/http/body.hh"
#include "proto/http/request.hh"
#include "proto/http/response.hh"
#include "proto/ws/extensions.hh"

namespace tls {
struct CertificateFacts;
}

namespace gateway {

// Every head for a client begins so, whatever its status.
inline constexpr std::string_view kStatusLineStart = "HTTP/1.1 ";

// A cookie of the gateway's own, between it and the client: the server neither gets nor sets it.
struct StickyCookie {
  std::string_view name;  // empty: there is none
  std::string_view set;   // what Set-Cookie is to say; empty: nothing
};

// What a server is asked that is to tell whether the request may pass: a GET with the fields of the
// request, but for those of its body, its conditions, and what is for one hop.
struct AuthQuestion {
  std::string_view host;    // empty: the request's
  std::string_view path;    // in origin-form
  std::string_view target;  // what the request asks for, in origin-form: X-Forwarded-Uri
};

// What marks the request for those behind, in the gateway's words.
struct ForwardedMarks {
  std::string_view request_id = {};   // X-Request-Id, which the route owns then; empty: none
  std::string_view traceparent = {};  // instead of the client's; empty: none of the gateway's
  bool drops_trace = false;           // what the client says of its trace does not pass
  bool keeps_trace = false;           // it passes, whatever its Connection says
};

// What the upstream learns from the gateway, besides what the request says.
struct RequestForwarding {
  std::string_view peer_address;  // who is connected: an IP address without a port, or "unix"
  std::uint16_t listener_port;    // where it came in; 0: through a Unix socket
  bool secure;                    // over TLS
  bool peer_trusted;              // what it says of its own client is kept, and added to
  std::string_view via;           // the gateway's name; empty: no Via
  std::string_view target;        // in origin-form
  const config::HeaderChanges& changes;
  const config::WebSocket* websocket;   // of the route, for a handshake; null: it is none
  std::string_view sticky_cookie = {};  // StickyCookie::name
  std::string_view upgrade = {};        // the protocol of another upgrade; empty: it is none
  std::span<const config::Header> identity = {};  // who the client is
  const AuthQuestion* question = nullptr;         // null: it is the request itself
  // What the client's certificate says; null: nothing is told of any.
  const tls::CertificateFacts* client_certificate = nullptr;
  ForwardedMarks marks = {};
};

// What a request asks for, in origin-form: the path as it is meant (http::resolve_path), then the
// query as it came. Tells how long the path is; nothing where the path cannot be resolved. "*"
// stands for "/". Precondition: the target is not in authority-form.
std::optional<std::size_t> resolve_target(std::pmr::string& target,
                                          const http::RequestHead& request, proto::Bytes buffer);

// Appends to `head` what the upstream gets. `buffer` holds what `request` was parsed from.
void forward_request(std::string& head, const http::RequestHead& request, proto::Bytes buffer,
                     const RequestForwarding& forwarding);

// What the client learns of its connection after this response.
enum class Persistence : std::uint8_t {
  kSilent,     // it stays open, which needs no word in HTTP/1.1
  kKeepAlive,  // it stays open, which a client of HTTP/1.0 must be told
  kClose,
};

struct ResponseForwarding {
  http::BodyFraming framing;  // of the body as the client gets it
  Persistence persistence;
  std::string_view via;
  const config::HeaderChanges& changes;
  StickyCookie sticky = {};
};

// Appends to `head` what the client gets.
void forward_response(std::string& head, const http::ResponseHead& response, proto::Bytes buffer,
                      const ResponseForwarding& forwarding);

// A 1xx, which goes at once and ends nothing. What `changes` remove or set is left out; only the
// final response says anything of the gateway's own.
void forward_interim(std::string& head, const http::ResponseHead& response, proto::Bytes buffer,
                     const config::HeaderChanges& changes);

// The 101 that opens a WebSocket, or a tunnel of another `protocol`. With `deflate`, on which the
// gateway and the client have agreed, the server's says nothing of extensions.
void forward_switch(std::string& head, const http::ResponseHead& response, proto::Bytes buffer,
                    std::string_view via, const config::HeaderChanges& changes,
                    const std::optional<ws::Deflate>& deflate = {}, const StickyCookie& sticky = {},
                    std::string_view protocol = "websocket");

// Appends the lines of a trailer section that may be passed on (RFC 9110 section 6.5.1: nothing of
// framing, routing, or for one hop; nothing that has an owner, whoever sends it, and nothing that
// `changes` remove or set in heads, since many receivers merge the two). `section` is the trailer
// section as http::ChunkedDecoder yielded it, each line with its CRLF, without the empty line.
// `head_fields` are those of the message's head in `head_buffer`: what Connection names there is
// left out, too.
void forward_trailers(std::string& trailers, std::string_view section,
                      const http::Fields& head_fields, proto::Bytes head_buffer,
                      const config::HeaderChanges& changes);

}  // namespace gateway
