// Client certificates: whom a server asks for one, and the CAs that may have signed it. They are
// loaded once for all contexts of a policy, into a store of the library's that each of them is
// given: hence its inner header, since only its compatibility layer could do that.
#include <iterator>
#include <utility>

#include "proto/tls/context_setup.hh"
#include "proto/tls/pem.hh"
// After the settings.
#include <wolfssl/internal.h>
#include <wolfssl/wolfcrypt/sha256.h>

namespace tls {

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
  const std::string bound = (required ? "required\n" : "optional\n") + ca;
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

}  // namespace tls
