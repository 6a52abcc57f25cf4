// From the library's object to a record layer of our own. Both secrets of the application's traffic
// are in the object, since a KeyUpdate needs them, and the numbers of the next records, which a
// server's tickets have moved on; so this needs the library's inner header. It is done between two
// records: the library asks for what it takes exactly, and all that it says goes out at once.
#include <algorithm>
#include <utility>

#include "proto/tls/certificate_facts.hh"
#include "proto/tls/session_established.hh"
#include "proto/tls/session_pending.hh"
#include "proto/tls/wolf.hh"
// After the settings.
#include <wolfssl/internal.h>

// A peer could ask for shorter records then, which the layer would not make.
#ifdef HAVE_MAX_FRAGMENT
#error "the record layer knows no other maximum than 16 KiB"
#endif

namespace tls {

// What an idle connection holds of TLS 1.3, a ticket of a client excepted.
static_assert(sizeof(Session) <= 136);
static_assert(sizeof(record::Layer) <= 360);

namespace {

constexpr std::uint16_t kSuitesOf13 = 0x1300;

proto::Bytes bytes_in(const byte* bytes, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(bytes), size};
}

std::uint64_t number_of(word32 high, word32 low) {
  return std::uint64_t{high} << 32 | low;
}

const record::Suite* suite_of(const WOLFSSL* ssl) {
  if (ssl->options.cipherSuite0 != kSuitesOf13 >> 8) return nullptr;
  return record::find_suite(kSuitesOf13 | ssl->options.cipherSuite);
}

// The library has taken a part of what comes next.
bool holds_input(const WOLFSSL* ssl) {
  return ssl->buffers.inputBuffer.length > ssl->buffers.inputBuffer.idx ||
         ssl->buffers.clearOutputBuffer.length > 0 ||
         (ssl->arrays != nullptr && ssl->arrays->pendingMsgSz > 0);
}

std::string protocol_of(WOLFSSL* ssl) {
  char* name = nullptr;
  unsigned short size = 0;
  if (wolfSSL_ALPN_GetProtocol(ssl, &name, &size) != WOLFSSL_SUCCESS) return {};
  return {name, size};
}

}  // namespace

// False: it has failed. TLS 1.2 stays with the library.
bool Session::establish() {
  const record::Suite* const suite = suite_of(ssl_);
  if (wolfSSL_GetVersion(ssl_) != WOLFSSL_TLSV1_3 || suite == nullptr) return true;
  if (holds_input(ssl_)) {
    refuse({"more in the record behind the Finished", AlertCode::kUnexpectedMessage});
    return false;
  }
  const auto traffic = [&](const byte* secret, word32 high, word32 low) {
    return record::Traffic{record::Secret(bytes_in(secret, suite->secret_size)),
                           number_of(high, low)};
  };
  const Keys& keys = ssl_->keys;
  const byte* const own = client_ ? ssl_->clientSecret : ssl_->serverSecret;
  const byte* const other = client_ ? ssl_->serverSecret : ssl_->clientSecret;
  record::Secret resumption;
  if (client_)
    resumption = record::Secret(bytes_in(ssl_->session->masterSecret, suite->secret_size));
  RecordBuffers* buffers = RecordBuffers::of(ssl_->heap);
  std::unique_ptr<RecordBuffers> own_buffers;
  if (buffers == nullptr) {
    own_buffers = std::make_unique<RecordBuffers>();
    buffers = own_buffers.get();
  }
  const char* const group = wolfSSL_get_curve_name(ssl_);
  if (client_) server_name_ = server_name();
  auto records = std::make_unique<record::Layer>(
      *suite, client_ ? record::Role::kClient : record::Role::kServer,
      traffic(own, keys.sequence_number_hi, keys.sequence_number_lo),
      traffic(other, keys.peer_sequence_number_hi, keys.peer_sequence_number_lo), resumption,
      record::Resources{buffers->keys(), *buffers});
  established_.reset(new Established{
      std::move(own_buffers), std::move(records), group != nullptr ? group : "", ssl_->namedGroup,
      wolfSSL_session_reused(ssl_) != 0, protocol_of(ssl_), nullptr});
  wolfSSL_free(std::exchange(ssl_, nullptr));
  count(kEstablishedBytes + (facts_ ? facts_->bytes() : 0));
  return true;
}

Progress Session::open_records(proto::Bytes& ciphertext, proto::MutableBytes plaintext_to,
                               Sink& to_peer) {
  const Progress progress = established_->records->open(ciphertext, plaintext_to, to_peer);
  if (client_ || progress.status != Progress::Status::kPlaintext) note_records();
  return progress;
}

void Session::note_records() {
  record::Layer& records = *established_->records;
  if (records.failed() && state_ != State::kFailed) fail(records.error());
  close_received_ = records.close_received();
  if (!client_ || records.failed()) return;
  const std::vector<std::byte> body = records.take_ticket();
  if (body.empty()) return;
  established_->ticket = session_of_ticket(body, records.suite(), established_->group_number,
                                           records.resumption_secret());
  count(kEstablishedBytes + body.size());
}

}  // namespace tls
