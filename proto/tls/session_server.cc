// The server's side of a handshake as far as the client speaks in plain text. Its messages go to
// the library one by one, each as one record, whatever records they came in; a hello only after it
// was judged, and then for a session that is made for it, since the library can't change a
// session's certificate with all that depends on it (suites, curve).
#include <algorithm>
#include <cstring>
#include <utility>

#include "proto/tls/certificate.hh"
#include "proto/tls/hello.hh"
#include "proto/tls/session_pending.hh"

namespace tls {
namespace {

using Status = Progress::Status;

constexpr std::byte kAlertRecord{21};
constexpr std::byte kHandshakeRecord{22};
constexpr std::byte kServerHello{2};
constexpr std::uint8_t kCloseNotify = 0;
// In the first record of an answer: the type of its message, and the server's random.
constexpr std::size_t kMessageTypeAt = 5;
constexpr std::size_t kRandomAt = 11;
// The library's own, its extension, and its message.
constexpr std::size_t kStapleCopies = 3;
// RFC 8446 section 4.1.3: the random of a HelloRetryRequest.
constexpr unsigned char kRetryRandom[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

}  // namespace

// The chain's verdict and the leaf (error_depth 0), good or bad; of the others only what is bad.
int Callbacks::verify_client(int accepted, WOLFSSL_X509_STORE_CTX* store) {
  if (accepted == 0 || store->error_depth != 0) return accepted;
  auto* self = static_cast<Session*>(store->userCtx);
  if (self == nullptr || self->pending_ == nullptr || store->certs == nullptr) return 0;
  if (store->totalCerts < 1) return accepted;  // it has shown none
  const ClientPolicy& policy = *self->pending_->context->clients;
  if (!policy.is_short_enough(*store)) {
    self->error_.reason = "certificate chain too long";
    return 0;
  }
  if (const int flaw = policy.flaw_between(*store)) {
    self->error_.reason = reason_for(flaw);
    return 0;
  }
  if (policy.tells) {
    const WOLFSSL_BUFFER_INFO& leaf = store->certs[0];
    auto facts = read_facts({reinterpret_cast<const std::byte*>(leaf.buffer), leaf.length});
    if (!facts) {
      self->error_.reason = facts.error();
      return 0;
    }
    self->pending_->facts = std::make_unique<const CertificateFacts>(*std::move(facts));
  }
  std::int64_t& until = self->pending_->valid_until;
  until = policy.lists_end;
  for (int i = 0; i < store->totalCerts; ++i) {
    until = std::min(until, end_of_validity(store->certs[i].buffer, store->certs[i].length));
  }
  return accepted;
}

bool Session::reads_messages() const {
  return !client_ && pending_ != nullptr && pending_->next != Pending::Next::kCipherText;
}

// A client that refuses our certificate may say so in plain text: OpenSSL does, in TLS 1.3. To the
// library that is no record at all. Asked where it wants to read.
bool Session::alert_begins() {
  if (client_ || pending_ == nullptr || pending_->version != Version::k13 || record_held_ > 0 ||
      pending_->next != Pending::Next::kCipherText || input_.empty() ||
      input_.front() != kAlertRecord) {
    return false;
  }
  pending_->next = Pending::Next::kAlert;
  return true;
}

bool Session::alert_began() const {
  return !client_ && pending_ != nullptr && pending_->next == Pending::Next::kAlert;
}

void Session::note_answer(proto::Bytes sealed) {
  if (sealed.size() >= kRandomAt + sizeof kRetryRandom && sealed[0] == kHandshakeRecord &&
      sealed[kMessageTypeAt] == kServerHello &&
      std::memcmp(&sealed[kRandomAt], kRetryRandom, sizeof kRetryRandom) == 0) {
    pending_->again = true;
  }
}

Progress Session::take_messages() {
  Progress progress;
  while (progress.status == Status::kWantInput && reads_messages() && !input_.empty()) {
    if (pending_->next == Pending::Next::kMessage && pending_->messages.idle() &&
        input_.front() != kHandshakeRecord) {
      pending_->next = Pending::Next::kCipherText;
    } else {
      progress = take_message();
    }
  }
  return progress;
}

Progress Session::take_message() {
  using Expected = PlainMessages::Expected;
  constexpr Expected kExpected[] = {Expected::kHello, Expected::kHelloAgain, Expected::kMessage,
                                    Expected::kAlert};
  switch (pending_->messages.take(input_, kExpected[static_cast<std::size_t>(pending_->next)])) {
    case PlainMessages::Status::kIncomplete:
      return {};
    case PlainMessages::Status::kRefused:
      return refuse(pending_->messages.refusal());
    case PlainMessages::Status::kAlert:
      return take_alert();
    case PlainMessages::Status::kMessage:
      break;
  }
  if (pending_->next != Pending::Next::kMessage && !judge()) return {0, Status::kFailed};
  const proto::Bytes behind = std::exchange(input_, pending_->messages.record());
  // It cannot end here: the client's Finished comes in cipher text.
  const Progress progress = stopped(accept());
  input_ = behind;
  pending_->messages.release();
  if (progress.status != Status::kWantInput) return progress;
  if (pending_->next == Pending::Next::kHello && pending_->again) {
    pending_->next = Pending::Next::kHelloAgain;
  } else {
    pending_->next =
        pending_->version == Version::k12 ? Pending::Next::kMessage : Pending::Next::kCipherText;
  }
  return {};
}

// The hello that came. False: it was refused.
bool Session::judge() {
  const proto::Bytes message = pending_->messages.message();
  const auto hello = judge_hello(message, groups_of_servers());
  const std::string_view name = hello ? hello->server_name : server_name_in(message);
  const bool is_first = pending_->next == Pending::Next::kHello;
  // What the first one has asked for has decided whose certificate is wanted.
  const bool is_same_name = is_first || pending_->server_name == name;
  if (is_first) pending_->server_name = name;
  if (!hello) {
    refuse(hello.error());
  } else if (is_first) {
    set_up_server(*hello);
  } else if (!is_same_name || hello->version != Version::k13 ||
             hello->only_share != pending_->group) {
    // RFC 8446 section 4.1.2. The library before 5.8 would answer it.
    refuse({"not the second ClientHello that was asked for", AlertCode::kIllegalParameter});
  }
  return state_ != State::kFailed;
}

void Session::set_up_server(const ClientHello& hello) {
  std::string_view protocol;
  if (!hello.protocols.empty()) {
    for (const std::string_view ours : {"http/1.1", "http/1.0"}) {
      if (protocol.empty() && hello.offers(ours)) protocol = ours;
    }
    if (protocol.empty()) {
      refuse({"no shared application protocol (ALPN)", AlertCode::kNoApplicationProtocol});
      return;
    }
  }
  pending_->version = hello.version;
  pending_->group = hello.best_group;
  const auto certificates = std::move(pending_->certificates);
  const Certificates& offered = certificates->for_name(hello.server_name);
  const std::size_t chosen = offered.names.certificate_for(hello.server_name);
  pending_->context = offered.contexts[chosen];
  if (!set_up(pending_->context->context) ||
      (!protocol.empty() && !use_protocols(ssl_, std::string(protocol)))) {
    return fail({"out of memory"});
  }
  if (const std::size_t staple = pending_->context->staple.size(); staple > 0)
    count(kBytes + kHandshakeBytes + kStapleCopies * staple);
  wolfSSL_SetCertCbCtx(ssl_, this);
  // RFC 8446 section 4.6.1: no ticket for whom it would be of no use.
  if (!hello.takes_tickets) wolfSSL_no_ticket_TLSv13(ssl_);
}

int Session::accept() {
  pending_->context->offer_staple();
  const int result = wolfSSL_accept(ssl_);
  if (const auto& clients = pending_->context->clients) clients->forget_intermediates();
  return result;
}

Progress Session::take_alert() {
  const std::uint8_t code = pending_->messages.alert();
  if (code == kCloseNotify) {
    close_received_ = true;
    return {0, Status::kClosed};
  }
  fail(received_alert(code, client_));
  return {0, Status::kFailed};
}

Progress Session::refuse(const Refusal& refusal) {
  if (ssl_ != nullptr) {
    SendAlert(ssl_, alert_fatal, static_cast<int>(refusal.alert));
  } else {
    to_peer_->append(plain_alert(refusal.alert));
  }
  fail({refusal.reason, Error::Alert::kSent, static_cast<std::uint8_t>(refusal.alert)});
  return {0, Status::kFailed};
}

}  // namespace tls
