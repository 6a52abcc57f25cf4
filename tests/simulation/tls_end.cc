#include "tests/simulation/tls_end.hh"

#include <cstdio>
#include <cstdlib>

#include "tests/simulation/certificate.hh"

namespace simulation {
namespace {

constexpr const char* kName = "localhost";
constexpr char kOneBit = 0x10;

template <class Loaded, class Reason>
Loaded must(std::expected<Loaded, Reason> loaded) {
  if (loaded) return std::move(*loaded);
  std::fprintf(stderr, "%s\n", std::string(loaded.error()).c_str());
  std::abort();
}

std::unique_ptr<tls::ClientContext> load_client(Trust trust, tls::Version version) {
  std::string trusted;
  if (trust != Trust::kOther) trusted += kCertificate;
  if (trust != Trust::kUsual) trusted += kOtherCertificate;
  return must(tls::ClientContext::load({.ca = trusted, .version_max = version}));
}

}  // namespace

TlsEnd::TlsEnd(const TlsPlan& plan, tls::ClientContext& context, const tls::Ticket& ticket)
    : plan_(plan), session_(std::make_unique<tls::Session>(context, kName, ticket)) {
  session_->start(*this);
}

TlsEnd::TlsEnd(const TlsPlan& plan, tls::ServerContexts& contexts)
    : plan_(plan), session_(std::make_unique<tls::Session>(contexts)) {}

void TlsEnd::send(std::string_view plaintext) {
  waiting_.append(plaintext);
  seal_waiting();
}

void TlsEnd::seal_waiting() {
  if (!session_->handshake_done() || waiting_.empty()) return;
  if (plan_.rekeys) session_->rekey(*this);
  session_->seal(proto::as_bytes(waiting_), *this);
  waiting_.clear();
}

std::string TlsEnd::open(std::string_view sealed) {
  std::string bytes(sealed);
  const std::size_t at = plan_.fault_at - opened_bytes_;
  opened_bytes_ += bytes.size();
  if (plan_.fault == TlsFault::kAlerts && at < bytes.size()) {
    // Its own session takes it for broken, and says so.
    bytes[at] = static_cast<char>(bytes[at] ^ kOneBit);
    spoilt_ = true;
  }
  std::string plaintext;
  proto::Bytes rest = proto::as_bytes(bytes);
  for (;;) {
    const tls::Progress progress = session_->open(rest, record_, *this);
    if (progress.status != tls::Progress::Status::kPlaintext) break;
    plaintext.append(proto::as_text(proto::Bytes(record_).first(progress.plaintext)));
  }
  seal_waiting();
  if (plan_.moves) move_session();
  return plaintext;
}

// Elsewhere it would be another process.
void TlsEnd::move_session() {
  ticket_ = ticket();
  std::vector<std::byte> image;
  if (!session_->export_to(image)) return;
  session_ = must(tls::Session::import_from(image, buffers_));
}

tls::Ticket TlsEnd::ticket() const {
  tls::Ticket newest = session_->ticket();
  return newest ? newest : ticket_;
}

void TlsEnd::append(proto::Bytes sealed) {
  std::string bytes(proto::as_text(sealed));
  const std::size_t begin = sealed_bytes_;
  sealed_bytes_ += bytes.size();
  const bool met = plan_.fault_at < sealed_bytes_;
  if (met && plan_.fault == TlsFault::kStalls) {
    bytes.resize(plan_.fault_at - std::min(begin, plan_.fault_at));
    spoilt_ = end_is_lost_ = true;
  } else if (met && plan_.fault == TlsFault::kCorrupts && plan_.fault_at >= begin) {
    char& byte = bytes[plan_.fault_at - begin];
    byte = static_cast<char>(byte ^ kOneBit);
    spoilt_ = true;
    end_is_lost_ = session_->handshake_done();
  }
  outgoing_ += bytes;
}

TlsShop::TlsShop()
    : server_([&] {
        const tls::Pem pem{kCertificate, kKey};
        return must(tls::ServerContexts::load({&pem, 1}, ticket_keys_));
      }()) {}

std::unique_ptr<TlsEnd> TlsShop::client_end(const TlsPlan& plan, Trust trust) {
  const tls::Ticket& ticket = plan.is_1_2 ? ticket_1_2_ : ticket_;
  auto& context = (plan.is_1_2 ? clients_1_2_ : clients_)[static_cast<std::size_t>(trust)];
  if (!context) {
    context = load_client(trust, plan.is_1_2 ? tls::Version::k12 : tls::Version::k13);
  }
  return std::make_unique<TlsEnd>(plan, *context, plan.resumes ? ticket : tls::Ticket());
}

std::unique_ptr<TlsEnd> TlsShop::server_end(const TlsPlan& plan) {
  return std::make_unique<TlsEnd>(plan, *server_);
}

void TlsShop::keep_ticket(const TlsPlan& plan, const TlsEnd& end) {
  if (tls::Ticket ticket = end.ticket()) {
    (plan.is_1_2 ? ticket_1_2_ : ticket_) = std::move(ticket);
  }
}

}  // namespace simulation
