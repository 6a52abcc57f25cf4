#include "proto/tls/session.hh"

#include <algorithm>
#include <climits>
#include <cstring>
#include <utility>

#include "proto/tls/certificate_facts.hh"
#include "proto/tls/context.hh"
#include "proto/tls/hello.hh"
#include "proto/tls/record_buffers.hh"
#include "proto/tls/session_established.hh"
#include "proto/tls/session_pending.hh"
#include "proto/tls/wolf.hh"

namespace tls {
namespace {

constexpr std::uint32_t kRecordHeader = 5;

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list.append(list.empty() ? "" : ",").append(name);
  return list;
}

std::string_view view_of(const char* text) {
  return text != nullptr ? text : "";
}

}  // namespace

bool use_protocols(WOLFSSL* ssl, const std::string& list) {
  return wolfSSL_UseALPN(ssl, const_cast<char*>(list.data()), static_cast<unsigned>(list.size()),
                         WOLFSSL_ALPN_FAILED_ON_MISMATCH) == WOLFSSL_SUCCESS;
}

// --- What the library calls.

int Callbacks::receive(WOLFSSL*, char* to, int size, void* session) {
  auto& self = *static_cast<Session*>(session);
  if (self.alert_begins()) return WOLFSSL_CBIO_ERR_WANT_READ;
  const std::size_t taken = std::min(static_cast<std::size_t>(size), self.input_.size());
  if (taken == 0) return WOLFSSL_CBIO_ERR_WANT_READ;
  std::memcpy(to, self.input_.data(), taken);
  self.measure(self.input_.first(taken));
  self.input_ = self.input_.subspan(taken);
  return static_cast<int>(taken);
}

int Callbacks::send(WOLFSSL*, char* sealed, int size, void* session) {
  auto& self = *static_cast<Session*>(session);
  if (self.to_peer_ == nullptr) return WOLFSSL_CBIO_ERR_GENERAL;
  const proto::Bytes bytes{reinterpret_cast<const std::byte*>(sealed),
                           static_cast<std::size_t>(size)};
  if (self.reads_messages()) self.note_answer(bytes);
  self.to_peer_->append(bytes);
  return size;
}

// Sees the chain's verdict and the leaf (error_depth 0), good or bad.
int Callbacks::verify(int accepted, WOLFSSL_X509_STORE_CTX* store) {
  auto* self = static_cast<Session*>(store->userCtx);
  if (accepted == 0 || self == nullptr) return 0;
  if (store->error_depth != 0) return accepted;
  if (store->certs == nullptr || store->totalCerts < 1) return 0;
  const WOLFSSL_BUFFER_INFO& leaf = store->certs[0];
  if (self->pending_ == nullptr ||
      !certificate_is_for(leaf.buffer, leaf.length, self->pending_->verified_name)) {
    self->error_.reason = "certificate is not for this name";
    return 0;
  }
  self->name_checked_ = true;
  return accepted;
}

int Callbacks::note_ticket(WOLFSSL*, const unsigned char*, int, void* session) {
  static_cast<Session*>(session)->ticket_came_ = true;
  return 0;
}

// --- Making and ending.

Session::Session(ServerContexts& contexts)
    : account_(contexts.buffers_ != nullptr ? &contexts.buffers_->account() : nullptr),
      pending_(std::make_unique<Pending>()),
      client_(false) {
  pending_->certificates = contexts.certificates_;
}

Session::Session(ClientContext& context, const std::string& server_name, const Ticket& ticket)
    : account_(context.account_), client_(true), verify_(context.options_.verify) {
  if (!set_up(context.context_) || !set_up_client(context)) fail({"out of memory"});
  if (state_ == State::kFailed) return;
  set_up_name(server_name);
  wolfSSL_set_SessionTicket_cb(ssl_, &Callbacks::note_ticket, this);
  if (!ticket.session_) return;
  // A copy, since the library changes a session that it uses.
  if (WOLFSSL_SESSION* copy = wolfSSL_SESSION_dup(ticket.session_.get())) {
    wolfSSL_set_session(ssl_, copy);
    wolfSSL_SESSION_free(copy);
  }
}

Session::~Session() {
  if (ssl_ != nullptr) wolfSSL_free(ssl_);
  count(0);
}

void Session::count(std::size_t bytes) {
  if (account_ == nullptr) return;
  account_->add(bytes - counted_bytes_);
  counted_bytes_ = static_cast<std::uint32_t>(bytes);
}

bool Session::set_up(WOLFSSL_CTX* context) {
  ssl_ = wolfSSL_new(context);
  if (ssl_ == nullptr) return false;
  count(kBytes + kHandshakeBytes);
  log_secrets_of(ssl_);
  wolfSSL_SetIOReadCtx(ssl_, this);
  wolfSSL_SetIOWriteCtx(ssl_, this);
  return true;
}

bool Session::set_up_client(const ClientContext& context) {
  const std::string protocols = joined(context.options_.protocols);
  if (!protocols.empty() && !use_protocols(ssl_, protocols)) return false;
  for (const std::uint16_t group : context.key_shares_) {
    if (wolfSSL_UseKeyShare(ssl_, group) != WOLFSSL_SUCCESS) return false;
  }
  return true;
}

void Session::set_up_name(const std::string& name) {
  // RFC 6066 section 3: no addresses in SNI.
  if (!name.empty() && address_bytes(name).empty()) {
    wolfSSL_UseSNI(ssl_, WOLFSSL_SNI_HOST_NAME, name.data(),
                   static_cast<unsigned short>(std::min<std::size_t>(name.size(), USHRT_MAX)));
  }
  if (!verify_) return;
  pending_ = std::make_unique<Pending>();
  pending_->verified_name = name;
  wolfSSL_SetCertCbCtx(ssl_, this);
}

void Session::fail(Error error) {
  state_ = State::kFailed;
  if (error_.reason.empty()) {
    error_ = error;
  } else {  // a callback knew better
    error_.alert = error.alert;
    error_.alert_code = error.alert_code;
  }
}

// --- Opening.

bool Session::wants_to_resume(proto::Bytes ciphertext) {
  return tls::wants_to_resume(ciphertext);
}

void Session::start(Sink& to_peer) {
  if (state_ != State::kHandshake || !client_) return;
  to_peer_ = &to_peer;
  stopped(wolfSSL_connect(ssl_));
  to_peer_ = nullptr;
}

Progress Session::open(proto::Bytes& ciphertext, proto::MutableBytes plaintext_to, Sink& to_peer) {
  if (!first_byte_seen_ && !ciphertext.empty() && state_ == State::kHandshake) {
    first_byte_seen_ = true;
    // No record type (RFC 8446 section 5.1) is a capital letter, and each HTTP method starts with
    // one.
    const auto first = static_cast<char>(ciphertext.front());
    if (!client_ && first >= 'A' && first <= 'Z') {
      plain_http_ = true;
      fail({"plain HTTP on the TLS port"});
    }
  }
  if (state_ == State::kFailed || close_received_) {
    ciphertext = {};
    return {0, state_ == State::kFailed ? Progress::Status::kFailed : Progress::Status::kClosed};
  }
  if (established_) return open_records(ciphertext, plaintext_to, to_peer);
  to_peer_ = &to_peer;
  input_ = ciphertext;
  Progress progress;
  if (reads_messages()) progress = take_messages();
  if (progress.status == Progress::Status::kWantInput && !reads_messages()) {
    progress = take(plaintext_to);
    if (reads_messages()) progress = take_messages();
  }
  const bool ended = state_ == State::kFailed || close_received_;
  ciphertext = ended ? proto::Bytes{} : input_;
  input_ = {};
  to_peer_ = nullptr;
  return progress;
}

Progress Session::take(proto::MutableBytes plaintext_to) {
  if (!handshake_done_) {
    const int result = client_ ? wolfSSL_connect(ssl_) : accept();
    if (result != WOLFSSL_SUCCESS) return stopped(result);
    if (client_ && verify_ && !name_checked_ && !resumed()) {
      fail({"certificate was not verified"});
      return {0, Progress::Status::kFailed};
    }
    handshake_done_ = true;
    end_log_of_secrets(ssl_);
    state_ = State::kOpen;
    if (pending_) facts_ = std::move(pending_->facts);
    if (!client_) {
      server_name_ = std::move(pending_->server_name);
      if (pending_->context != nullptr) pending_->context->forget_staple(ssl_);
    }
    pending_.reset();
    count(kBytes + (facts_ ? facts_->bytes() : 0));
    if (!establish()) return {0, Progress::Status::kFailed};
    if (established_) return open_records(input_, plaintext_to, *to_peer_);
  }
  const auto room = static_cast<int>(std::min<std::size_t>(plaintext_to.size(), INT_MAX));
  const int result = wolfSSL_read(ssl_, plaintext_to.data(), room);
  if (result <= 0) return stopped(result);
  return {static_cast<std::size_t>(result), Progress::Status::kPlaintext};
}

Progress Session::stopped(int result) {
  const int code = wolfSSL_get_error(ssl_, result);
  if (code == WOLFSSL_ERROR_WANT_READ && (input_.empty() || alert_began())) return {};
  if (code == WOLFSSL_ERROR_ZERO_RETURN || code == ZERO_RETURN) {
    close_received_ = true;
    return {0, Progress::Status::kClosed};
  }
  fail(explain(code));
  return {0, Progress::Status::kFailed};
}

// Some alerts are left to us.
Error Session::explain(int code) {
  Error error = describe_error(ssl_, code, client_);
  if (error.alert != Error::Alert::kNone) return error;
  AlertCode alert = alert_for(code);
  if (alert == AlertCode::kRecordOverflow && record_size_ == 0) {
    // RFC 8446 section 5.1.
    error.reason = "empty record";
    alert = AlertCode::kUnexpectedMessage;
  }
  if (SendAlert(ssl_, alert_fatal, static_cast<int>(alert)) == 0) {
    error.alert = Error::Alert::kSent;
    error.alert_code = static_cast<std::uint8_t>(alert);
  }
  return error;
}

Progress::Status Session::end_of_stream() {
  if (close_received_) return Progress::Status::kClosed;
  if (state_ == State::kFailed) return Progress::Status::kFailed;
  truncated_ = true;
  fail({handshake_done_ ? "connection ended without close_notify"
                        : "connection ended during the TLS handshake"});
  return Progress::Status::kFailed;
}

// The library takes exactly a header and then exactly its record, but this does not rely on it.
void Session::measure(proto::Bytes taken) {
  while (!taken.empty()) {
    if (record_held_ < kRecordHeader) {
      const auto byte = static_cast<std::uint32_t>(taken.front());
      if (record_held_ == 3) record_size_ = byte << 8;
      if (record_held_ == 4) record_size_ |= byte;
      ++record_held_;
      taken = taken.subspan(1);
    } else {
      const std::size_t missing = kRecordHeader + record_size_ - record_held_;
      const std::size_t size = std::min(missing, taken.size());
      record_held_ += static_cast<std::uint32_t>(size);
      taken = taken.subspan(size);
    }
    if (record_held_ >= kRecordHeader && record_held_ == kRecordHeader + record_size_) {
      record_held_ = 0;
    }
  }
}

std::size_t Session::held() const {
  if (established_) return established_->records->held();
  if (reads_messages()) return pending_->messages.held();
  if (ssl_ == nullptr) return 0;
  const bool partly_read = handshake_done_ && wolfSSL_pending(ssl_) > 0;
  return partly_read ? kRecordHeader + kRecordPlaintextMax + 256 : record_held_;
}

// --- Sealing.

void Session::seal(proto::Bytes plaintext, Sink& to_peer) {
  if (state_ != State::kOpen || close_sent_) return;
  if (established_) return established_->records->seal(plaintext, to_peer);
  to_peer_ = &to_peer;
  while (!plaintext.empty()) {
    const std::size_t size = std::min(plaintext.size(), kRecordPlaintextMax);
    const int result = wolfSSL_write(ssl_, plaintext.data(), static_cast<int>(size));
    if (result != static_cast<int>(size)) {
      fail(describe_error(ssl_, wolfSSL_get_error(ssl_, result), client_));
      break;
    }
    plaintext = plaintext.subspan(size);
  }
  to_peer_ = nullptr;
}

void Session::rekey(Sink& to_peer) {
  if (established_ && state_ == State::kOpen) established_->records->rekey(to_peer);
}

void Session::close(Sink& to_peer) {
  if (state_ != State::kOpen || close_sent_) return;
  close_sent_ = true;
  if (established_) return established_->records->close(to_peer);
  to_peer_ = &to_peer;
  wolfSSL_shutdown(ssl_);
  to_peer_ = nullptr;
}

// --- For the log.

std::string_view Session::version() const {
  if (established_) return "TLSv1.3";
  return handshake_done_ ? view_of(wolfSSL_get_version(ssl_)) : "";
}

std::string_view Session::cipher() const {
  if (established_) return established_->records->suite().name;
  return handshake_done_ ? view_of(wolfSSL_get_cipher(ssl_)) : "";
}

std::string_view Session::group() const {
  if (established_) return established_->group;
  return handshake_done_ ? view_of(wolfSSL_get_curve_name(ssl_)) : "";
}

std::string_view Session::server_name() const {
  if (!client_) return pending_ != nullptr ? pending_->server_name : server_name_;
  void* name = nullptr;
  if (ssl_ == nullptr) return server_name_;
  const std::size_t size = wolfSSL_SNI_GetRequest(ssl_, WOLFSSL_SNI_HOST_NAME, &name);
  return name != nullptr ? std::string_view(static_cast<const char*>(name), size) : "";
}

std::string_view Session::protocol() const {
  if (established_) return established_->protocol;
  char* name = nullptr;
  unsigned short size = 0;
  if (!handshake_done_ || wolfSSL_ALPN_GetProtocol(ssl_, &name, &size) != WOLFSSL_SUCCESS) {
    return {};
  }
  return {name, size};
}

bool Session::resumed() const {
  if (established_) return established_->resumed;
  return ssl_ != nullptr && wolfSSL_session_reused(ssl_) != 0;
}

const CertificateFacts* Session::client_certificate() const {
  return facts_.get();
}

Ticket Session::ticket() const {
  Ticket ticket;
  // The library holds on to the ticket that it resumed with, though its secret is another one by
  // then (RFC 8446 section 4.6.1): a server must refuse the two together. TLS 1.2 keeps both (RFC
  // 5077 section 3.3).
  const bool kept = resumed() && !established_;
  // A stream that was only cut is no reason to give it up (RFC 5246 section 7.2.1).
  const bool usable = handshake_done_ && (state_ == State::kOpen || truncated_);
  if (usable && established_) ticket.session_ = established_->ticket;
  if (!usable || established_ || !(ticket_came_ || kept)) return ticket;
  byte bytes[4096];
  word32 size = sizeof bytes;
  const bool there = wolfSSL_get_SessionTicket(ssl_, bytes, &size) == WOLFSSL_SUCCESS && size > 0;
  if (!there) return ticket;
  // A library before 5.9 cannot copy it, and would not resume with its cache off: it makes full
  // handshakes.
  if (WOLFSSL_SESSION* copy = wolfSSL_SESSION_dup(wolfSSL_get_session(ssl_))) {
    ticket.session_ = {copy, wolfSSL_SESSION_free};
  }
  return ticket;
}

}  // namespace tls
