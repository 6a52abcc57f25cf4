// Who may ask at the admin listener, and who may change something: judged by a request's head
// alone. So no page of another origin, and no name that was bound to this address, reaches
// anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/admin_settings.hh"

namespace gateway::admin {

// The subprotocols that a browser offers with a WebSocket, which takes no Authorization field.
inline constexpr std::string_view kBearerSubprotocol = "bearer.";

// What of the head counts.
struct Credentials {
  std::string_view host;                       // Host, its port included; empty: there is none
  std::optional<std::string_view> origin;      // RFC 6454 section 7
  std::optional<std::string_view> fetch_site;  // Sec-Fetch-Site
  std::string_view token;                      // empty: none
  bool is_secure = false;                      // it came over TLS
  bool has_shown_certificate = false;          // which client_ca has signed
};

// "Bearer TOKEN" (RFC 6750 section 2.1): the token; empty where it is something else.
std::string_view token_of_authorization(std::string_view value);
// The same, of the offer of subprotocols of a WebSocket.
std::string_view token_of_subprotocols(std::string_view offered);

enum class Wish : std::uint8_t {
  kLook,  // at what is anybody's: that it lives, and the page, which knows nothing
  kRead,
  kChange,
};

struct Refusal {
  std::uint16_t status;  // 401, 403 or 421
  std::string sentence;  // what is wrong, and the cure
};

// Nothing: he may.
std::optional<Refusal> judge(const config::AdminSettings& settings, const Credentials& credentials,
                             Wish wish);

}  // namespace gateway::admin
