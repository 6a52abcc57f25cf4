// The opening handshake (RFC 6455 section 4) over header fields that somebody else has parsed. It
// judges what section 4 says, in both roles, and makes the two keys; heads are written, and
// policies such as allowed origins applied, by the caller. All views live as long as the heads that
// they came from.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proto/bytes.hh"
#include "proto/ws/extensions.hh"

namespace ws {

// A list-valued field's lines in order. More lines than fit are a malformed handshake.
struct FieldLines {
  static constexpr std::size_t kLinesMax = 4;

  std::array<std::string_view, kLinesMax> lines;
  std::size_t count = 0;  // of lines seen, of which the first kLinesMax are kept

  bool too_many() const { return count > kLinesMax; }
  std::span<const std::string_view> kept() const;
};

// Whether a list has nothing but commas in it: it says nothing then, and is better not passed on,
// since some take it for an error.
bool is_empty_list(std::string_view value);

// What section 4 needs of a head: add() each of its fields, in order; others are ignored.
class HandshakeFields {
 public:
  void add(std::string_view name, std::string_view value);

  FieldLines upgrade;
  FieldLines connection;
  FieldLines key;
  FieldLines version;
  FieldLines accept;
  FieldLines protocols;
  FieldLines extensions;
};

constexpr std::string_view kVersion = "13";  // for the Sec-WebSocket-Version of a 426

// How many subprotocols a client may offer.
constexpr std::size_t kSubprotocolsMax = 64;

// What an endpoint in the middle lets pass of a client's offers; the rest never reaches the server.
struct OfferPolicy {
  std::span<const std::string> subprotocols = {};  // only these; empty: any
  ExtensionPolicy extensions = ExtensionPolicy::kAll;

  bool passes_subprotocol(std::string_view name) const;
  bool passes_extension(std::string_view name) const { return passes(extensions, name); }
};

// What to do with a request.
struct RequestVerdict {
  enum class Kind : std::uint8_t {
    kNotAsked,  // no upgrade to WebSocket: serve it as if it had no Upgrade field
    kAccept,    // a valid handshake; `key` is the client's key
    kRefuse,    // answer `status` (400, or 426 with `Sec-WebSocket-Version: 13`)
  };

  Kind kind;
  int status = 0;
  std::string_view reason;  // with kRefuse, for the body and the log
  std::string_view key;     // with kAccept
};

// Section 4.2.1. Whatever Connection names goes no further than here (RFC 9110 section 7.6.1), so
// it must not name what makes a handshake. `method` is case-sensitive; `http_1_1` is false for
// HTTP/1.0, which cannot upgrade (RFC 9110 section 7.8).
RequestVerdict judge_request(std::string_view method, bool http_1_1,
                             const HandshakeFields& request);

using Key = std::array<char, 24>;     // base64 of 16 bytes
using Accept = std::array<char, 28>;  // base64 of 20 bytes

// Section 4.1: `random` must be unpredictable and new for each connection.
Key make_key(std::span<const std::byte, 16> random);

// Section 4.2.2: the Sec-WebSocket-Accept that answers this key. Precondition: 24 characters.
Accept accept_key(std::string_view key);

inline std::string_view as_text(const Key& key) {
  return {key.data(), key.size()};
}
inline std::string_view as_text(const Accept& accept) {
  return {accept.data(), accept.size()};
}

// Section 4.1, the client's side: what `response` (with this status) agrees to of what `request`
// asked for, as far as `policy` has let that pass; or the reason why it does not accept it. `key`
// is the one that was sent. An empty list says nothing, and is no fault: some servers send one.
std::expected<Agreement, std::string_view> judge_response(int status,
                                                          const HandshakeFields& response,
                                                          const HandshakeFields& request,
                                                          std::string_view key,
                                                          const OfferPolicy& policy = {});

}  // namespace ws
