// A simulated peer's end of a TLS session, and what its plan spoils of it; and what the TLS ends of
// a run share. Both sides of a connection are the project's own sessions: what is tried here is not
// the protocol, but what the gateway does while one is begun, ended, or broken.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/tls/context.hh"
#include "proto/tls/record_buffers.hh"
#include "proto/tls/session.hh"
#include "proto/tls/ticket_keys.hh"
#include "tests/simulation/scenario.hh"

namespace simulation {

class TlsEnd final : private tls::Sink {
 public:
  // Of a client, which says the first word.
  TlsEnd(const TlsPlan& plan, tls::ClientContext& context, const tls::Ticket& ticket);
  TlsEnd(const TlsPlan& plan, tls::ServerContexts& contexts);

  // Sealed as soon as that can be.
  void send(std::string_view plaintext);
  // The plaintext of what has come.
  std::string open(std::string_view sealed);
  // The close_notify, behind all that was sent.
  void close() { session_->close(*this); }
  std::string take_outgoing() { return std::exchange(outgoing_, {}); }

  // Something waits for the end of the handshake.
  bool waits() const { return !waiting_.empty() && !session_->failed(); }
  bool is_over() const { return session_->failed() || session_->ended_cleanly(); }
  bool handshake_done() const { return session_->handshake_done(); }
  bool ended_cleanly() const { return session_->ended_cleanly(); }
  bool failed() const { return session_->failed(); }
  std::string why() const { return session_->error().text(); }
  bool is_rude() const { return plan_.fault == TlsFault::kNoCloseNotify; }
  // What was planned against it has happened.
  bool spoilt() const { return spoilt_; }
  // ... and the other end cannot have taken a close_notify for one. (A bit of a handshake may be
  // one that nobody looks at.)
  bool end_is_lost() const { return session_->failed() || end_is_lost_; }
  tls::Ticket ticket() const;

 private:
  void append(proto::Bytes sealed) override;
  void seal_waiting();
  void move_session();

  TlsPlan plan_;
  tls::RecordBuffers buffers_;  // of a session that has moved
  std::unique_ptr<tls::Session> session_;
  tls::Ticket ticket_;  // from before it has moved
  std::vector<std::byte> record_ = std::vector<std::byte>(tls::Session::kRecordPlaintextMax);
  std::string waiting_;   // plaintext
  std::string outgoing_;  // sealed
  std::size_t sealed_bytes_ = 0;
  std::size_t opened_bytes_ = 0;
  bool spoilt_ = false;
  bool end_is_lost_ = false;
};

// Which of the gateway's certificates a client takes for good.
enum class Trust : std::uint8_t { kUsual, kOther, kBoth };
constexpr std::size_t kTrusts = 3;

// What the TLS ends of a run share.
class TlsShop {
 public:
  TlsShop();
  std::unique_ptr<TlsEnd> client_end(const TlsPlan& plan, Trust trust);
  std::unique_ptr<TlsEnd> server_end(const TlsPlan& plan);
  // For who comes next, and resumes.
  void keep_ticket(const TlsPlan& plan, const TlsEnd& end);

 private:
  tls::TicketKeys ticket_keys_;
  std::unique_ptr<tls::ServerContexts> server_;
  // By Trust; made when they are needed.
  std::array<std::unique_ptr<tls::ClientContext>, kTrusts> clients_;
  std::array<std::unique_ptr<tls::ClientContext>, kTrusts> clients_1_2_;
  tls::Ticket ticket_;
  tls::Ticket ticket_1_2_;
};

}  // namespace simulation
