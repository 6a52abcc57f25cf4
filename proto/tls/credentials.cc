#include "proto/tls/credentials.hh"

#include <algorithm>
#include <cstring>
#include <memory>

#include "proto/tls/certificate.hh"
#include "proto/tls/loopback.hh"
#include "proto/tls/pem.hh"
#include "proto/tls/ticket_keys.hh"
// After the settings.
#include <wolfssl/wolfcrypt/coding.h>

namespace tls {
namespace {

constexpr std::string_view kCertificate = "CERTIFICATE";
const std::string kUnfit = "cannot be served: " + std::string(kKinds);
const std::string kKeyMisfit =
    "holds a private key that is damaged, or of a kind that is not supported: " +
    std::string(kKinds);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
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
    result += printable(block.label);
    labels.push_back(block.label);
  }
  return result.append("; ").append(wanted.if_absent);
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

// What is wrong with it that not every version of the library says, or none in these words. Where
// that cannot be told: nothing. The key is whole, and not encrypted.
std::string flaw_of_key(const PemBlock& key) {
  std::string_view body = key.text.substr(0, key.text.rfind("-----END"));
  body.remove_prefix(std::string_view("-----BEGIN -----").size() + key.label.size());
  std::string der(key.text.size(), '\0');
  auto size = static_cast<word32>(der.size());
  const int code = Base64_Decode(bytes_of(body), static_cast<word32>(body.size()),
                                 reinterpret_cast<unsigned char*>(der.data()), &size);
  std::string flaw;
  if (code == 0 && size > 0 && !is_one_sequence({der.data(), size})) flaw = kKeyMisfit;
  // SEC 1 section C.4: publicKey [1] BIT STRING; section 2.3.3: 2 or 3, and one coordinate.
  for (const std::string_view head : {"\xa1\x24\x03\x22", "\xa1\x34\x03\x32", "\xa1\x46\x03\x44"}) {
    for (const char sign : {'\2', '\3'}) {
      if (der.find(std::string(head) + '\0' + sign) != der.npos)
        flaw =
            "holds a private key with its public point compressed: 'openssl ec -in FILE "
            "-conv_form uncompressed' converts it";
    }
  }
  explicit_bzero(der.data(), der.size());
  return flaw;
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

// Why nobody could be trusted by it; empty: he could.
std::string flaw_of_authority(const Certificate& one) {
  if (!one.is_readable()) return one.unreadable();
  if (!one.is_authority()) return "is no CA's: name that of the CA that signed it";
  if (const std::string time = one.untimely(); !time.empty()) return time;
  return one.misfit();
}

}  // namespace

Findings check_chain(std::string_view pem) {
  ready_library();
  Findings found;
  const Chain chain = read_chain(pem, "name the file that has the certificate");
  const std::size_t count = chain.texts.size();
  if (!chain.fault.empty()) found.faults.push_back(chain.fault);
  for (std::size_t i = 0; i < count; ++i) {
    const Certificate& one = *chain.certificates[i];
    if (one.is_readable()) continue;
    if (i == 0 || !one.is_whole()) {
      found.faults.push_back(holds(i, count, one.unreadable()));
    } else {
      found.warnings.push_back(
          holds(i, count,
                "is of a kind that is unknown here (" + one.reason() + "): it is sent as it is"));
    }
  }
  if (!found.faults.empty()) return {.faults = std::move(found.faults)};

  const Certificate& leaf = *chain.certificates.front();
  std::string misfit = leaf.misfit_of_server();
  if (misfit.empty() && !Trial().takes_certificate(chain.texts.front())) misfit = kUnfit;
  if (!misfit.empty()) found.faults.push_back(holds(0, count, misfit));
  for (const std::string& oddity : leaf.oddities_of_server())
    found.warnings.push_back(holds(0, count, oddity));
  for (std::size_t i = 0; i < count; ++i) {
    const Certificate& one = *chain.certificates[i];
    if (!one.is_readable()) continue;
    const std::string time = one.untimely();
    if (!time.empty()) found.warnings.push_back(holds(i, count, time + ": renew it"));
    if (i > 0 && chain.certificates[i - 1]->is_readable() &&
        !chain.certificates[i - 1]->is_signed_by(one))
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
  std::string flaw = flaw_of_key(key);
  if (flaw.empty() && !Trial().takes_key(pem)) flaw = kKeyMisfit;
  if (flaw.empty()) return {};
  return {.faults = {std::move(flaw)}};
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
    for (const PemBlock& block : pem_blocks(pem.key)) {
      if (block.label.ends_with("PRIVATE KEY") && belong_together(chain.texts.front(), block.text))
        return {true, text + "a later one in it does, and has to stand first"};
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
    const std::string what = flaw_of_authority(one);
    if (what.empty()) ++usable;
    if (!what.empty())
      (one.is_whole() ? found.warnings : found.faults).push_back(holds(i, count, what));
  }
  if (!found.faults.empty()) return {.faults = std::move(found.faults)};
  if (usable == 0) return {.faults = std::move(found.warnings)};
  if (const auto loaded = ClientContext::load({.ca = std::string(pem)}); !loaded)
    found.faults.push_back("cannot be used: " + loaded.error());
  return found;
}

}  // namespace tls
