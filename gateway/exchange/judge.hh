// What is to become of a request, by its head alone: a function of the head, of how its client has
// come, and of the configuration. It changes nothing but what it is given for that,
// and knows neither connection nor shard.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/config/config.hh"
#include "gateway/link/end.hh"
#include "proto/http/request.hh"
#include "proto/ws/handshake.hh"

namespace gateway {

struct Question {
  const http::RequestHead& head;
  proto::Bytes buffer;  // what it was parsed from
  const config::Listener& listener;
  bool secure;                        // it came over TLS
  bool peer_trusted;                  // from a proxy that is believed
  std::string_view server_name = {};  // that the client has asked for in the handshake
  bool has_shown_less = false;        // than clients of that name have to show by now
  // The listener's [[listen.names]] were others at some time since the handshake.
  bool had_other_names = false;
};

// It refers to the configuration and to the head's buffer.
struct Judged {
  struct Refusal {
    Reason reason;
    std::uint16_t status = 0;      // where the reason alone does not decide it
    std::string_view detail = {};  // static text
    std::string_view said = {};    // what of the head it is about
  };
  struct Redirect {
    std::uint16_t status;
    std::string location;
  };
  // The route's own.
  struct Answer {
    const config::Answer& answer;
  };
  // RFC 9110 section 7.6.2: an OPTIONS or TRACE that goes no further.
  struct LastHop {};
  struct Proxy {};
  struct Tunnel {
    std::string_view key;  // Sec-WebSocket-Key
  };
  // Another upgrade, which the route lets pass.
  struct Opaque {
    std::string_view protocol;  // as the client has named it
  };
  using Verdict = std::variant<Refusal, Redirect, Answer, LastHop, Proxy, Tunnel, Opaque>;

  const config::Route* route = nullptr;  // null: none matches, or it was not asked for
  Verdict verdict;
};

// `target` becomes what is asked for, in origin-form: of a server, what it gets. `scratch` is
// overwritten.
Judged judge(const Question& question, const config::Config& config, std::pmr::string& target,
             std::string& scratch);

ws::HandshakeFields handshake_fields(const http::Head& head, proto::Bytes buffer);

}  // namespace gateway
