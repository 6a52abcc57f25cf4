// What a TLS session and its record layer tell their caller, and where they put what they say to
// the peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/bytes.hh"

namespace tls {

// Where sealed bytes for the peer go. It must take everything: the caller has reserved the room, or
// grows.
class Sink {
 public:
  // `sealed` is valid during the call only.
  virtual void append(proto::Bytes sealed) = 0;

  // For who can write them where they belong, without a copy: the place of the next `bytes`, until
  // the next call. `commit` says that so many of them are there. Null: append() is the only way.
  virtual std::byte* reserve([[maybe_unused]] std::size_t bytes) { return nullptr; }
  virtual void commit([[maybe_unused]] std::size_t bytes) {}

 protected:
  ~Sink() = default;
};

// Why a session failed. `reason` is static text, fit for a log line. Where the peer's alert says
// it, the reason is what that means.
struct Error {
  enum class Alert : std::uint8_t { kNone, kSent, kReceived };

  std::string_view reason;
  Alert alert = Alert::kNone;
  std::uint8_t alert_code = 0;  // RFC 8446 section 6, where there was an alert

  // "no shared cipher suite (handshake_failure alert sent)",
  // "the client refused the certificate: unknown_ca alert received"
  std::string text() const;
};

// The peer's fatal alert.
Error received_alert(std::uint8_t code, bool peer_is_server);

struct Progress {
  enum class Status : std::uint8_t {
    kWantInput,  // all ciphertext is consumed and all its plaintext was handed out
    kPlaintext,  // `plaintext` bytes were written; call again, even when no ciphertext is left
    kClosed,     // the peer's close_notify came; what follows it is dropped
    kFailed,     // error() says why; an alert may have been appended: send it, then close
  };

  std::size_t plaintext = 0;
  Status status = Status::kWantInput;
};

}  // namespace tls
