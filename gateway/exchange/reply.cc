#include "gateway/exchange/reply.hh"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <optional>
#include <string>

#include "gateway/rewrite/fields.hh"
#include "proto/http/status.hh"
#include "proto/ws/handshake.hh"

namespace gateway {
namespace {

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

// A head of the gateway's own, with a route's changes.
class OwnHead {
 public:
  OwnHead(std::string& to, std::uint16_t status, const config::HeaderChanges& changes)
      : to_(to), changes_(changes) {
    to_.append(kStatusLineStart);
    add_number(to_, status);
    to_.append(" ").append(http::status_reason(status)).append("\r\n");
    if (!changes_.drops("Date")) add_date(to_);
  }

  void add(std::string_view name, std::string_view value) {
    if (!changes_.drops(name)) add_line(to_, name, value);
  }

  // `upgrade`: the client is told to come as a WebSocket.
  void end(std::optional<std::size_t> length, Persistence persistence, bool upgrade = false) {
    if (length) add_framing(to_, {http::Framing::kLength, *length});
    changes_.add_to(to_);
    if (upgrade) add_line(to_, "Upgrade", "websocket");
    add_connection(to_, persistence, upgrade);
    to_.append("\r\n");
  }

 private:
  std::string& to_;
  const FieldChanges changes_;
};

}  // namespace

std::string allowed_methods(const config::Route* route) {
  if (route == nullptr || route->methods.empty()) {
    return "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  }
  return fmt::format("{}", fmt::join(route->methods, ", "));
}

void write_reply(std::string& to, const Reply& reply) {
  const std::string_view phrase = http::status_reason(reply.status);
  const std::string body = fmt::format("{} {}\n{}\n", reply.status, phrase, reply.sentence);
  const config::HeaderChanges none;
  OwnHead head(to, reply.status, reply.changes != nullptr ? *reply.changes : none);
  head.add("Content-Type", "text/plain; charset=utf-8");
  head.add("Cache-Control", "no-store");
  if (!reply.location.empty()) head.add("Location", reply.location);
  if (!reply.allow.empty()) head.add("Allow", reply.allow);
  if (reply.retry_after.count() > 0)
    head.add("Retry-After", std::to_string(reply.retry_after.count()));
  if (!reply.challenge.empty()) head.add("WWW-Authenticate", reply.challenge);
  // RFC 9110 section 15.5.22, RFC 6455 section 4.2.2.
  if (reply.status == 426) head.add("Sec-WebSocket-Version", ws::kVersion);
  head.end(body.size(), reply.persistence, reply.status == 426);
  if (!reply.head_only) to.append(body);
}

void write_answer(std::string& to, const config::Answer& answer, Persistence persistence,
                  bool head_only, const config::HeaderChanges& changes) {
  OwnHead head(to, answer.status, changes);
  const bool with_body = has_body(answer.status);
  if (with_body) head.add("Content-Type", answer.type);
  head.end(with_body ? std::optional(answer.body.size()) : std::nullopt, persistence);
  if (with_body && !head_only) to.append(answer.body);
}

}  // namespace gateway
