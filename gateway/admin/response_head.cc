#include "gateway/admin/response_head.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "gateway/admin/json.hh"
#include "proto/http/status.hh"
#include "proto/ws/handshake.hh"

namespace gateway::admin {
namespace {

// Of the page: it has all that it needs in itself, and stands in no other page.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src "
    "'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace

void write_response_head(std::string& to, const Reply& reply, const Framing& framing) {
  const auto add = [&](std::string_view name, std::string_view value) {
    to.append(name).append(": ").append(value).append("\r\n");
  };
  to += fmt::format("HTTP/1.1 {} {}\r\n", reply.status, http::status_reason(reply.status));
  add("Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
  add("Content-Type", reply.type);
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  add("Content-Security-Policy", kPagePolicy);
  add("Cross-Origin-Resource-Policy", "same-origin");
  add("Referrer-Policy", "no-referrer");
  if (!reply.allow.empty()) add("Allow", reply.allow);
  if (reply.status == 401) add("WWW-Authenticate", "Bearer realm=\"gateway\"");
  if (!reply.more) {
    add("Content-Length", fmt::to_string(reply.body.size()));
  } else if (!framing.is_1_0) {
    add("Transfer-Encoding", "chunked");
  }
  const bool keeps = framing.keeps && !(framing.is_1_0 && reply.more);
  if (!keeps) add("Connection", "close");
  if (keeps && framing.is_1_0) add("Connection", "keep-alive");
  to += "\r\n";
}

std::string switch_head(std::string_view key, std::string_view subprotocol) {
  return fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
      ws::as_text(ws::accept_key(key)), subprotocol);
}

Reply error_reply(std::uint16_t status, std::string_view sentence) {
  return {.status = status, .body = to_text(Json{{"error", std::string(sentence)}}) + "\n"};
}

}  // namespace gateway::admin
