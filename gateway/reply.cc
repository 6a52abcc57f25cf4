#include "gateway/reply.hh"

#include <fmt/format.h>

#include "proto/http/status.hh"
#include "proto/ws/handshake.hh"

namespace gateway {

std::string make_reply(std::uint16_t status, std::string_view sentence, bool head_only) {
  const std::string_view phrase = http::status_reason(status);
  const std::string body = fmt::format("{} {}\n{}\n", status, phrase, sentence);
  std::string fields;
  if (status == 405) fields = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
  if (status == 426) {
    // RFC 9110 section 15.5.22, RFC 6455 section 4.2.2.
    fields = fmt::format("Upgrade: websocket\r\nSec-WebSocket-Version: {}\r\n", ws::kVersion);
  }
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n"
      "Cache-Control: no-store\r\n{}Connection: {}close\r\n\r\n{}",
      status, phrase, body.size(), fields, status == 426 ? "Upgrade, " : "", head_only ? "" : body);
}

}  // namespace gateway
