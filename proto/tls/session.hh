// One peer's TLS session as a function over the caller's bytes: sealed bytes become plaintext
// (open), plaintext becomes sealed bytes (seal). It does no I/O and knows no socket; what the peer
// has to be sent goes into a Sink. The library has the handshake, and TLS 1.2; once TLS 1.3 is
// established its object is gone, and the session goes on with a record layer of our own. A session
// belongs to the shard of its contexts: it is made, used and destroyed on that thread. Invariant:
// once a session has failed, or has sent its close_notify, nothing of the caller's is sealed any
// more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/bytes.hh"
#include "proto/memory_counter.hh"
#include "proto/tls/progress.hh"

struct WOLFSSL;
struct WOLFSSL_CTX;
struct WOLFSSL_SESSION;

namespace tls {

class ServerContexts;
class ClientContext;
class RecordBuffers;
struct CertificateFacts;
struct ClientHello;
struct Refusal;

// What a client keeps to resume: the ticket and its secret.
class Ticket {
 public:
  Ticket() = default;
  explicit operator bool() const { return session_ != nullptr; }

 private:
  friend class Session;
  std::shared_ptr<WOLFSSL_SESSION> session_;
};

class Session {
 public:
  // The most plaintext of one record: with that much room in `plaintext_to`, open yields one record
  // a call.
  static constexpr std::size_t kRecordPlaintextMax = 16384;
  // With so much, each is opened where it is wanted; else one that is full may be copied.
  static constexpr std::size_t kOpenRoom = kRecordPlaintextMax + 1;
  static constexpr std::size_t kSealFront = 5;
  // Everything that seal may append for one call with `plaintext` bytes: TLS 1.3 adds 22 bytes a
  // record, TLS 1.2 up to 29; and once in 2^24 records a KeyUpdate follows.
  static constexpr std::size_t sealed_size_max(std::size_t plaintext) {
    return plaintext + (plaintext + kRecordPlaintextMax - 1) / kRecordPlaintextMax * kExpansionMax +
           kKeyUpdateSize;
  }
  // The most that one open call may append after the handshake: at most ten KeyUpdate answers, and
  // an alert. A peer that wants more of them than records of data pay for (one for each) fails the
  // session.
  static constexpr std::size_t kAnswersMax = 512;

  // What one takes of memory besides its buffers, at the most and mostly much less: once its
  // handshake is done, and what that needs on top (tests/proto/tls/session_memory_test.cc).
  static constexpr std::size_t kBytes = 16 * 1024;
  static constexpr std::size_t kHandshakeBytes = 32 * 1024;
  // Instead of kBytes once TLS 1.3 is established; a client's ticket comes on top.
  static constexpr std::size_t kEstablishedBytes = 3 * 1024;

  // Server role. The session keeps what it needs of the contexts alive.
  explicit Session(ServerContexts& contexts);
  // Client role. `server_name` is sent as SNI (unless it is an IP address), and is what the
  // certificate must be for where the context verifies. With a `ticket` of the same server it tries
  // to resume.
  Session(ClientContext& context, const std::string& server_name, const Ticket& ticket = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Of a client's first bytes: its handshake may be a short one.
  static bool wants_to_resume(proto::Bytes ciphertext);

  // Client role: appends the ClientHello. Once, before anything else.
  void start(Sink& to_peer);

  // Takes from the front of `ciphertext`, drives the handshake, writes at most one record's
  // plaintext. Whatever the library wants to send (handshake flight, KeyUpdate answer, alert) is
  // appended to `to_peer`. `plaintext_to` must not be empty, and must not overlap `ciphertext`.
  Progress open(proto::Bytes& ciphertext, proto::MutableBytes plaintext_to, Sink& to_peer);

  // Seals `plaintext` into records of at most 16 KiB, one append or commit each; before
  // handshake_done(), after a failure or a close it does nothing. Where it is a single record, the
  // plaintext may lie where the sink puts the sealed bytes. kSealFront behind their beginning it is
  // sealed where it lies, in TLS 1.3.
  void seal(proto::Bytes plaintext, Sink& to_peer);

  // Changes the sending key (KeyUpdate, RFC 8446 section 4.6.3) and asks the peer to do so; nothing
  // in TLS 1.2. seal does it by itself long before the key is worn out (section 5.5).
  void rekey(Sink& to_peer);

  // Appends close_notify, at most once; nothing before the handshake is done or after a failure.
  // Reading goes on.
  void close(Sink& to_peer);

  // The transport reached its end: kClosed after a close_notify, else kFailed (truncation, RFC 8446
  // section 6.1).
  Progress::Status end_of_stream();

  // TLS 1.3, once it is established: appends all of it that goes on, for import_from in another
  // place or process, in the middle of a record too. The session has failed then. False, and it is
  // as it was: there is no such form of it. That of what its client's certificate says is missing.
  bool export_to(std::vector<std::byte>& to);
  // `bytes` are wiped; the error says what is wrong with them. A client's ticket stays behind.
  static std::expected<std::unique_ptr<Session>, std::string_view> import_from(
      proto::MutableBytes bytes, RecordBuffers& buffers);

  bool handshake_done() const { return handshake_done_; }
  bool failed() const { return state_ == State::kFailed; }
  bool ended_cleanly() const { return close_received_; }
  bool truncated() const { return truncated_; }
  // The client spoke HTTP to the TLS port; nothing was appended, so a readable answer in plaintext
  // may be sent.
  bool plain_http() const { return plain_http_; }
  const Error& error() const { return error_; }

  // An upper bound of the record bytes kept inside: of an incomplete record or ClientHello, or of a
  // record handed out only in part. At most 17 KiB. What a handshake needs (11-28 KiB) comes on top
  // until it is done.
  std::size_t held() const;

  // For the log, after the handshake; empty where there is none. Valid as long as the session.
  std::string_view version() const;  // "TLSv1.3"
  std::string_view cipher() const;   // "TLS_AES_128_GCM_SHA256"
  std::string_view group() const;    // "X25519"
  std::string_view server_name() const;
  std::string_view protocol() const;  // ALPN
  bool resumed() const;

  // Server role: what the client's certificate says, where ClientCheck::tells. Null: it has shown
  // none, or it is not told, or the handshake is not done.
  const CertificateFacts* client_certificate() const;

  // Client role: the newest ticket of this connection; empty before there is one, and after a
  // failure other than a truncation. What a TLS 1.3 connection was resumed with is not its own.
  Ticket ticket() const;

 private:
  friend struct Callbacks;
  static constexpr std::size_t kExpansionMax = 29;
  static constexpr std::size_t kKeyUpdateSize = 27;
  enum class State : std::uint8_t { kHandshake, kOpen, kFailed };
  struct Pending;
  struct Established;

  // Of an established connection.
  Session(RecordBuffers& buffers, bool is_client, std::unique_ptr<Established> established);

  bool set_up(WOLFSSL_CTX* context);
  void count(std::size_t bytes);
  void set_up_server(const ClientHello& hello);
  int accept();
  bool set_up_client(const ClientContext& context);
  void set_up_name(const std::string& name);
  // Server role, while the client speaks in plain text: session_server.cc.
  bool reads_messages() const;
  bool alert_begins();
  bool alert_began() const;
  void note_answer(proto::Bytes sealed);
  Progress take_messages();
  Progress take_message();
  bool judge();
  Progress take_alert();
  Progress refuse(const Refusal& refusal);
  Progress take(proto::MutableBytes plaintext_to);
  Progress stopped(int result);
  Error explain(int code);
  void fail(Error error);
  void measure(proto::Bytes taken);
  // After the handshake of TLS 1.3: session_records.cc.
  bool establish();
  Progress open_records(proto::Bytes& ciphertext, proto::MutableBytes plaintext_to, Sink& to_peer);
  void note_records();

  // Owned. A plain pointer, so that the header stays free of the library. A server has none before
  // it has judged the client's hello, and nobody has one once there is `established_`.
  WOLFSSL* ssl_ = nullptr;
  const proto::MemoryCounter* const account_;      // of the buffers, or null
  std::unique_ptr<Pending> pending_;               // what only the handshake needs
  std::unique_ptr<Established> established_;       // what TLS 1.3 goes on with
  std::unique_ptr<const CertificateFacts> facts_;  // of the client
  std::string server_name_;                        // that which was asked for
  proto::Bytes input_;                             // what has yet to be taken; during open only
  Sink* to_peer_ = nullptr;                        // during a call only
  Error error_;
  std::uint32_t counted_bytes_ = 0;  // there
  std::uint32_t record_held_ = 0;    // bytes of the incomplete record, header included
  std::uint32_t record_size_ = 0;    // its length field
  State state_ = State::kHandshake;
  const bool client_ : 1;
  bool verify_ : 1 = false;  // client role: the certificate, and that it is for the name
  bool ticket_came_ : 1 = false;
  bool handshake_done_ : 1 = false;
  bool first_byte_seen_ : 1 = false;
  bool name_checked_ : 1 = false;
  bool close_sent_ : 1 = false;
  bool close_received_ : 1 = false;
  bool truncated_ : 1 = false;
  bool plain_http_ : 1 = false;
};

}  // namespace tls
