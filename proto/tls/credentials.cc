#include "proto/tls/credentials.hh"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>

#include "proto/tls/loopback.hh"
#include "proto/tls/pem.hh"
#include "proto/tls/ticket_keys.hh"
#include "proto/tls/wolf.hh"
// After the settings.
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

namespace tls {
namespace {

constexpr std::string_view kCertificate = "CERTIFICATE";
constexpr std::string_view kKinds =
    "ECDSA with P-256, P-384 or P-521, RSA of 2048 to 4096 bits, and Ed25519 will do";
const std::string kUnfit = "cannot be served: " + std::string(kKinds);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// One certificate, taken apart.
class Certificate {
 public:
  explicit Certificate(std::string_view pem) {
    error_ = wc_PemToDer(bytes_of(pem), static_cast<long>(pem.size()), CERT_TYPE, &der_, nullptr,
                         nullptr, nullptr);
    if (error_ != 0) return;
    wc_InitDecodedCert(&*cert_, der_->buffer, der_->length, nullptr);
    decoded_ = true;
    error_ = wc_ParseCert(&*cert_, CERT_TYPE, NO_VERIFY, nullptr);
  }
  ~Certificate() {
    if (decoded_) wc_FreeDecodedCert(&*cert_);
    if (der_ != nullptr) wc_FreeDer(&der_);
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  int error() const { return error_; }  // 0: the rest may be asked
  const DecodedCert* operator->() const { return cert_.get(); }

  std::string name() const {
    for (const DNS_entry* one = cert_->altNames; one != nullptr; one = one->next) {
      if (one->type == ASN_DNS_TYPE && one->name != nullptr && one->len > 0)
        return {one->name, static_cast<std::size_t>(one->len)};
    }
    if (cert_->subjectCN == nullptr || cert_->subjectCNLen <= 0) return "nobody";
    return {cert_->subjectCN, static_cast<std::size_t>(cert_->subjectCNLen)};
  }

 private:
  DerBuffer* der_ = nullptr;
  std::unique_ptr<DecodedCert> cert_ = std::make_unique<DecodedCert>();
  bool decoded_ = false;
  int error_ = 0;
};

std::optional<std::time_t> time_of(const unsigned char* date, int size) {
  const unsigned char* value = nullptr;
  unsigned char format = 0;
  int length = 0;
  std::tm calendar{};
  if (wc_GetDateInfo(date, size, &value, &format, &length) != 0) return {};
  if (wc_GetDateAsCalendarTime(value, length, format, &calendar) != 0) return {};
  return timegm(&calendar);
}

std::string day_of(std::time_t time) {
  std::tm calendar{};
  gmtime_r(&time, &calendar);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &calendar)};
}

// What is wrong with its time; empty: nothing.
std::string untimely(const Certificate& certificate) {
  const auto until = time_of(certificate->afterDate, certificate->afterDateLen);
  const auto from = time_of(certificate->beforeDate, certificate->beforeDateLen);
  const std::time_t now = std::time(nullptr);
  if (until && *until < now) return "expired on " + day_of(*until);
  if (from && *from > now) return "is not valid before " + day_of(*from);
  return {};
}

// "holds a certificate that ...", with its number where there are more.
std::string holds(std::size_t index, std::size_t count, const std::string& what) {
  if (count == 1) return "holds a certificate that " + what;
  return "holds a certificate, number " + std::to_string(index + 1) + ", that " + what;
}

// A SEQUENCE (X.690 section 8.9) whose length is written in the long form, or fits.
bool is_binary(std::string_view text) {
  if (text.size() < 2 || text[0] != '\x30') return false;
  const auto length = static_cast<unsigned char>(text[1]);
  return length > 0x80 || length + std::size_t{2} == text.size();
}

// A PKCS #12 file (RFC 7292) is a SEQUENCE that begins with the INTEGER 3.
bool is_pkcs12(std::string_view der) {
  return der.substr(0, 10).find("\x02\x01\x03") != der.npos;
}

// What a file should hold, and what to say where it does not.
struct Wanted {
  std::string_view what;
  std::string_view convert;  // the command of openssl that reads its binary form
  std::string_view if_absent;
};

std::string lack(std::string_view text, const std::vector<PemBlock>& blocks, const Wanted& wanted) {
  if (text.empty()) return "is empty: write it anew, in PEM form";
  if (blocks.empty() && is_binary(text)) {
    if (is_pkcs12(text))
      return "is PKCS #12, not PEM: 'openssl pkcs12 -nodes -in FILE' converts it";
    return "is in binary form (DER), not PEM: 'openssl " + std::string(wanted.convert) +
           " -inform der -in FILE' converts it";
  }
  std::string result = "holds no " + std::string(wanted.what);
  if (blocks.empty()) result += " in PEM form";
  std::vector<std::string_view> labels;
  for (const PemBlock& block : blocks) {
    if (std::find(labels.begin(), labels.end(), block.label) != labels.end()) continue;
    result += labels.empty() ? ", only " : ", ";
    result += block.label;
    labels.push_back(block.label);
  }
  return result.append("; ").append(wanted.if_absent);
}

// The library's codes for what it does not know, rather than cannot read.
bool is_unsupported(int code) {
  return code == ASN_UNKNOWN_OID_E || code == ASN_SIG_OID_E || code == ASN_SIG_KEY_E ||
         code == ALGO_ID_E || code == ECC_CURVE_OID_E || code == NOT_COMPILED_IN;
}

std::string unreadable(int code) {
  const std::string why = std::string(" (") + wc_GetErrorString(code) + ")";
  if (is_unsupported(code))
    return "is of a kind that is not supported" + why + ": " + std::string(kKinds);
  return "is damaged" + why + ": copy it anew";
}

struct Chain {
  std::vector<std::string_view> texts;
  std::vector<std::unique_ptr<Certificate>> certificates;
  std::string fault;  // of the file as a whole
};

Chain read_chain(std::string_view pem, std::string_view if_absent) {
  Chain chain;
  const std::vector<PemBlock> blocks = pem_blocks(pem);
  for (const PemBlock& block : blocks) {
    if (block.label != kCertificate) continue;
    if (!block.whole) {
      chain.fault = "is cut off: a certificate in it has no END line; copy it anew";
      return chain;
    }
    chain.texts.push_back(block.text);
    chain.certificates.push_back(std::make_unique<Certificate>(block.text));
  }
  if (chain.texts.empty()) chain.fault = lack(pem, blocks, {"certificate", "x509", if_absent});
  return chain;
}

bool signed_by(const Certificate& certificate, const Certificate& other) {
  return std::equal(std::begin(certificate->issuerHash), std::end(certificate->issuerHash),
                    std::begin(other->subjectHash));
}

bool is_authority(const Certificate& certificate) {
  return certificate->isCA != 0 || certificate->selfSigned != 0;
}

// A context of the library's with nothing in it but what is asked about.
class Trial {
 public:
  Trial() : context_(wolfSSL_CTX_new(wolfSSLv23_server_method())) {}
  ~Trial() { wolfSSL_CTX_free(context_); }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  bool takes_certificate(std::string_view pem) {
    const std::string text = std::string(pem) + "\n";
    return wolfSSL_CTX_use_certificate_chain_buffer(
               context_, bytes_of(text), static_cast<long>(text.size())) == WOLFSSL_SUCCESS;
  }
  bool takes_key(std::string_view pem) {
    std::string key = std::string(private_key_of(pem).text) + "\n";
    const int code = wolfSSL_CTX_use_PrivateKey_buffer(
        context_, bytes_of(key), static_cast<long>(key.size()), WOLFSSL_FILETYPE_PEM);
    explicit_bzero(key.data(), key.size());
    return code == WOLFSSL_SUCCESS;
  }
  bool belong_together() { return wolfSSL_CTX_check_private_key(context_) == WOLFSSL_SUCCESS; }

 private:
  WOLFSSL_CTX* const context_;
};

bool belong_together(std::string_view certificate, std::string_view key) {
  Trial trial;
  return trial.takes_certificate(certificate) && trial.takes_key(key) && trial.belong_together();
}

// Why a client would not be served; empty: it would. What a client of this library does not take is
// not the server's fault.
std::string failure_to_serve(const Pem& pem) {
  TicketKeys tickets;
  const auto contexts = ServerContexts::load({&pem, 1}, tickets);
  if (!contexts) return contexts.error();
  for (const Version version : {Version::k13, Version::k12}) {
    const auto client = ClientContext::load({.verify = false, .version_max = version});
    if (!client) return client.error();
    const Error error = loop_back(**contexts, **client).server;
    if (!error.reason.empty() && error.alert != Error::Alert::kReceived)
      return std::string(error.reason);
  }
  return {};
}

}  // namespace

Findings check_chain(std::string_view pem) {
  ready_library();
  Findings found;
  const Chain chain = read_chain(pem, "name the file that has the certificate");
  const std::size_t count = chain.texts.size();
  if (!chain.fault.empty()) found.faults.push_back(chain.fault);
  for (std::size_t i = 0; i < count; ++i) {
    const int error = chain.certificates[i]->error();
    if (error != 0) found.faults.push_back(holds(i, count, unreadable(error)));
  }
  if (!found.faults.empty()) return found;

  const Certificate& leaf = *chain.certificates.front();
  if (!Trial().takes_certificate(chain.texts.front()))
    found.faults.push_back(holds(0, count, kUnfit));
  if (leaf->altNames == nullptr)
    found.warnings.push_back(
        holds(0, count, "names no host (subject alternative name): no client will take it"));
  for (std::size_t i = 0; i < count; ++i) {
    const std::string time = untimely(*chain.certificates[i]);
    if (!time.empty()) found.warnings.push_back(holds(i, count, time + ": renew it"));
    if (i > 0 && !signed_by(*chain.certificates[i - 1], *chain.certificates[i]))
      found.warnings.push_back(
          holds(i, count, "did not sign the one before it: clients may refuse the chain"));
  }
  return found;
}

Findings check_key(std::string_view pem, std::string_view if_absent) {
  ready_library();
  const PemBlock key = private_key_of(pem);
  if (key.label.empty())
    return {.faults = {lack(pem, pem_blocks(pem), {"private key", "pkey", if_absent})}};
  if (!key.whole)
    return {.faults = {"is cut off: a private key in it has no END line; copy it anew"}};
  if (is_encrypted(key))
    return {.faults = {"holds a key that is encrypted; store it decrypted, readable by the gateway "
                       "alone: 'openssl pkey -in FILE' decrypts it"}};
  if (Trial().takes_key(pem)) return {};
  return {.faults = {"holds a private key that is damaged, or of a kind that is not supported: " +
                     std::string(kKinds)}};
}

PairFault check_pair(const Pem& pem, std::string_view chain_name) {
  ready_library();
  const Chain chain = read_chain(pem.chain, "");
  const std::size_t count = chain.texts.size();
  if (!belong_together(chain.texts.front(), pem.key)) {
    std::string text = "holds a key that does not belong to the certificate " +
                       std::string(chain_name) + ", which is for " +
                       chain.certificates.front()->name() + ": ";
    for (std::size_t i = 1; i < count; ++i) {
      if (belong_together(chain.texts[i], pem.key))
        return {true, text + "it belongs to number " + std::to_string(i + 1) +
                          " there, and the server's own has to stand first"};
    }
    return {true, text + "name the key that it was made with"};
  }
  const std::string failure = failure_to_serve(pem);
  if (failure.empty()) return {};
  if (count > 1 && failure_to_serve({std::string(chain.texts.front()), pem.key}).empty())
    return {false, "holds a chain of " + std::to_string(count) +
                       " certificates, which cannot be sent: leave out those that clients have, "
                       "as the root (a handshake fails: " +
                       failure + ")"};
  return {false, holds(0, count, kUnfit + " (a handshake fails: " + failure + ")")};
}

Findings check_authorities(std::string_view pem) {
  ready_library();
  Findings found;
  const Chain chain = read_chain(pem, "name the file that has the CA's certificate");
  const std::size_t count = chain.texts.size();
  if (!chain.fault.empty()) found.faults.push_back(chain.fault);
  std::size_t usable = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Certificate& one = *chain.certificates[i];
    const bool damaged = one.error() != 0 && !is_unsupported(one.error());
    const std::string what = one.error() != 0     ? unreadable(one.error())
                             : !is_authority(one) ? "is no CA's: name that of the CA that signed it"
                                                  : untimely(one);
    if (what.empty()) ++usable;
    if (!what.empty()) (damaged ? found.faults : found.warnings).push_back(holds(i, count, what));
  }
  if (!found.faults.empty()) return {.faults = std::move(found.faults)};
  if (usable == 0) return {.faults = std::move(found.warnings)};
  if (const auto loaded = ClientContext::load({.ca = std::string(pem)}); !loaded)
    found.faults.push_back("cannot be used: " + loaded.error());
  return found;
}

}  // namespace tls
