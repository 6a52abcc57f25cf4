// Client certificates: whom a server asks for one, and the CAs that may have signed it. They are
// loaded once for all contexts of a policy, into a store of the library's that each of them is
// given: hence its inner header, since only its compatibility layer could do that.
#include <algorithm>
#include <ctime>
#include <iterator>
#include <utility>

#include "proto/tls/context_setup.hh"
#include "proto/tls/credentials.hh"
#include "proto/tls/pem.hh"
// After the settings.
#include <wolfssl/crl.h>
#include <wolfssl/internal.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/sha256.h>

namespace tls {
namespace {

constexpr std::string_view kListLabel = "X509 CRL";

Fingerprint fingerprint_of(const unsigned char* der, std::size_t size) {
  Fingerprint made{};
  wc_Sha256Hash(der, static_cast<word32>(size), reinterpret_cast<byte*>(made.data()));
  return made;
}

// The first second, since 1970, at which one of these lists is no longer good.
std::int64_t end_of(const CRL_Entry* lists) {
  std::int64_t end = ClientPolicy::kForever;
  for (const CRL_Entry* list = lists; list != nullptr; list = list->next) {
    std::tm calendar{};
    const bool is_told = wc_GetDateAsCalendarTime(list->nextDate, MAX_DATE_SIZE,
                                                  list->nextDateFormat, &calendar) == 0;
    end = std::min<std::int64_t>(end, is_told ? timegm(&calendar) : 0);
  }
  return end;
}

std::vector<Fingerprint> fingerprints_in(std::string_view pem) {
  std::vector<Fingerprint> found;
  for (const PemBlock& block : pem_blocks(pem)) {
    DerBuffer* der = nullptr;
    const std::string text(block.text);
    if (wc_PemToDer(bytes_of(text), static_cast<long>(text.size()), CERT_TYPE, &der, nullptr,
                    nullptr, nullptr) != 0) {
      continue;
    }
    found.push_back(fingerprint_of(der->buffer, der->length));
    wc_FreeDer(&der);
  }
  return found;
}

}  // namespace

ClientPolicy::~ClientPolicy() {
  if (authorities != nullptr) wolfSSL_CertManagerFree(authorities);
}

Problem ClientPolicy::load(const ClientCheck& check) {
  const std::string ca = certificates_of(check.ca);
  if (ca.empty()) return "no authority: no complete BEGIN CERTIFICATE block in it";
  authorities = wolfSSL_CertManagerNew();
  if (authorities == nullptr) return "out of memory";
  const int code = wolfSSL_CertManagerLoadCABuffer(
      authorities, bytes_of(ca), static_cast<long>(ca.size()), WOLFSSL_FILETYPE_PEM);
  if (code != WOLFSSL_SUCCESS) return explain("an authority's certificate cannot be used", code);
  loaded.assign(std::begin(authorities->caTable), std::end(authorities->caTable));
  required = check.required;
  tells = check.tells;
  depth = check.depth;
  own = fingerprints_in(ca);
  if (!check.crl.empty()) {
    if (auto problem = load_lists(check.crl)) return problem;
  }
  const std::string bound = std::string(required ? "required\n" : "optional\n") +
                            (tells ? "told\n" : "") + std::to_string(depth) + "\n" + ca + check.crl;
  static_assert(sizeof binding == WC_SHA256_DIGEST_SIZE);
  if (wc_Sha256Hash(bytes_of(bound), static_cast<word32>(bound.size()), binding.data()) != 0)
    return "out of memory";
  return {};
}

void ClientPolicy::ask(WOLFSSL_CTX* context) const {
  const int unless_shown = required ? WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER | unless_shown, Callbacks::verify_client);
  wolfSSL_CertManager_up_ref(authorities);
  wolfSSL_CertManagerFree(context->cm);
  context->cm = authorities;
  if (!tells) return;
  wolfSSL_CTX_NoTicketTLSv12(context);
  wolfSSL_CTX_no_ticket_TLSv13(context);
}

// One that has expired is as good as none.
Problem ClientPolicy::load_lists(const std::string& pem) {
  for (const PemBlock& block : pem_blocks(pem)) {
    if (block.label != kListLabel) continue;
    const std::string text = std::string(block.text) + "\n";
    const int code = wolfSSL_CertManagerLoadCRLBuffer(
        authorities, bytes_of(text), static_cast<long>(text.size()), WOLFSSL_FILETYPE_PEM);
    if (code == WOLFSSL_SUCCESS || code == CRL_CERT_DATE_ERR) continue;
    if (code == ASN_CRL_NO_SIGNER_E)
      return "a list of revoked certificates of a CA that client_ca does not have: its "
             "certificate belongs there, too";
    return explain("a list of revoked certificates cannot be used", code);
  }
  if (wolfSSL_CertManagerEnableCRL(authorities, WOLFSSL_CRL_CHECK) != WOLFSSL_SUCCESS)
    return "out of memory";
  lists_end = end_of(authorities->crl->crlList);
  return {};
}

bool ClientPolicy::is_own(const WOLFSSL_BUFFER_INFO& certificate) const {
  const Fingerprint one = fingerprint_of(certificate.buffer, certificate.length);
  return std::ranges::find(own, one) != own.end();
}

// All of those between the first and a CA are shown, since none is kept.
bool ClientPolicy::is_short_enough(const WOLFSSL_X509_STORE_CTX& shown) const {
  unsigned others = 0;
  for (int i = 1; i < shown.totalCerts && others <= depth; ++i) {
    if (!is_own(shown.certs[i])) ++others;
  }
  return others <= depth;
}

int ClientPolicy::flaw_between(const WOLFSSL_X509_STORE_CTX& shown) const {
  int flaw = 0;
  for (int i = 1; authorities->crlEnabled != 0 && flaw == 0 && i < shown.totalCerts; ++i) {
    if (is_own(shown.certs[i])) continue;
    DecodedCert one;
    wc_InitDecodedCert(&one, shown.certs[i].buffer, shown.certs[i].length, nullptr);
    flaw = wc_ParseCert(&one, CERT_TYPE, NO_VERIFY, nullptr);
    if (flaw == 0) flaw = CheckCertCRL(authorities->crl, &one);
    wc_FreeDecodedCert(&one);
  }
  return flaw;
}

// New ones stand in front. Earlier libraries have no function for this, and cannot tell them from
// those that were loaded.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // later ones call this an inner one
void ClientPolicy::forget_intermediates() const {
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    Signer*& first = authorities->caTable[i];
    while (first != nullptr && first != loaded[i]) {
      FreeSigner(std::exchange(first, first->next), authorities->heap);
    }
  }
}
#pragma GCC diagnostic pop

Findings check_lists(std::string_view pem, const std::string& ca) {
  ready_library();
  Findings found;
  std::size_t lists = 0;
  for (const PemBlock& block : pem_blocks(pem)) {
    if (block.label != kListLabel) continue;
    const std::string number = "list " + std::to_string(++lists);
    const std::string text = std::string(block.text) + "\n";
    ClientPolicy trial;
    const auto problem = trial.load({.ca = ca});
    const int code = problem || !block.whole
                         ? ASN_PARSE_E
                         : wolfSSL_CertManagerLoadCRLBuffer(trial.authorities, bytes_of(text),
                                                            static_cast<long>(text.size()),
                                                            WOLFSSL_FILETYPE_PEM);
    if (code == WOLFSSL_SUCCESS) continue;
    if (code == CRL_CERT_DATE_ERR) {
      found.warnings.push_back("has expired (" + number +
                               "): until it is renewed nobody comes in with a certificate of its "
                               "CA");
    } else if (code == ASN_CRL_NO_SIGNER_E) {
      found.faults.push_back("is of a CA that client_ca does not have (" + number +
                             "): put the CA's certificate there, too");
    } else {
      found.faults.push_back("cannot be used (" + number + ": " +
                             (block.whole ? wc_GetErrorString(code) : "it is cut off") +
                             "): fetch it anew");
    }
  }
  if (lists == 0)
    found.faults.emplace_back(
        "holds no list of revoked certificates in PEM form (BEGIN X509 CRL); 'openssl crl -inform "
        "DER -in FILE' converts one");
  return found;
}

}  // namespace tls
