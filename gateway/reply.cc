#include "gateway/reply.hh"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <iterator>

#include "proto/http/status.hh"
#include "proto/ws/handshake.hh"

namespace gateway {
namespace {

std::string_view connection_line(Persistence persistence) {
  switch (persistence) {
    case Persistence::kSilent:
      return "";
    case Persistence::kKeepAlive:
      return "Connection: keep-alive\r\n";
    case Persistence::kClose:
      return "Connection: close\r\n";
  }
  return "";
}

// RFC 9110 section 6.6.1.
void add_date(std::string& to) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 64> text;
  const std::size_t size =
      std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  to.append(text.data(), size);
}

// 204 and 304 have no body, and 204 no length either (RFC 9110 sections 8.6 and 15).
bool has_body(std::uint16_t status) {
  return status != 204 && status != 304;
}

}  // namespace

void write_reply(std::string& to, const Reply& reply) {
  const std::string_view phrase = http::status_reason(reply.status);
  const std::string body = fmt::format("{} {}\n{}\n", reply.status, phrase, reply.sentence);
  auto out = fmt::format_to(std::back_inserter(to),
                            "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\n"
                            "Content-Length: {}\r\nCache-Control: no-store\r\n",
                            reply.status, phrase, body.size());
  add_date(to);
  if (!reply.location.empty()) fmt::format_to(out, "Location: {}\r\n", reply.location);
  if (reply.status == 405) fmt::format_to(out, "Allow: {}\r\n", kAllowedMethods);
  if (reply.status == 426) {
    // RFC 9110 section 15.5.22, RFC 6455 section 4.2.2.
    fmt::format_to(out, "Upgrade: websocket\r\nSec-WebSocket-Version: {}\r\n", ws::kVersion);
    to.append(reply.persistence == Persistence::kClose ? "Connection: Upgrade, close\r\n"
                                                       : "Connection: Upgrade\r\n");
  } else {
    to.append(connection_line(reply.persistence));
  }
  to.append("\r\n");
  if (!reply.head_only) to.append(body);
}

void write_answer(std::string& to, const config::Answer& answer, Persistence persistence,
                  bool head_only, const config::HeaderChanges& changes) {
  auto out = fmt::format_to(std::back_inserter(to), "HTTP/1.1 {} {}\r\n", answer.status,
                            http::status_reason(answer.status));
  add_date(to);
  if (has_body(answer.status)) {
    fmt::format_to(out, "Content-Type: {}\r\nContent-Length: {}\r\n", answer.type,
                   answer.body.size());
  }
  for (const config::Header& header : changes.set) {
    fmt::format_to(out, "{}: {}\r\n", header.name, header.value);
  }
  for (const config::Header& header : changes.add) {
    fmt::format_to(out, "{}: {}\r\n", header.name, header.value);
  }
  to.append(connection_line(persistence)).append("\r\n");
  if (!head_only && has_body(answer.status)) to.append(answer.body);
}

}  // namespace gateway
