#include <algorithm>
#include <cstring>
#include <utility>

#include "proto/tls/context.hh"
#include "proto/tls/context_setup.hh"
#include "proto/tls/pem.hh"
#include "proto/tls/ticket_keys.hh"

namespace tls {
namespace {

Problem use_chain(WOLFSSL_CTX* context, std::string_view pem) {
  const std::string chain = certificates_of(pem);
  if (chain.empty()) return "not a certificate: no complete BEGIN CERTIFICATE block in it";
  const int code = wolfSSL_CTX_use_certificate_chain_buffer(context, bytes_of(chain),
                                                            static_cast<long>(chain.size()));
  if (code != WOLFSSL_SUCCESS) return explain("the certificate cannot be read", code);
  return {};
}

Problem use_key(WOLFSSL_CTX* context, std::string_view pem) {
  const PemBlock block = private_key_of(pem);
  if (!block.whole) return "not a private key: no complete BEGIN ... PRIVATE KEY block in it";
  if (is_encrypted(block))
    return "the private key is encrypted; it has to be stored without a passphrase";
  std::string key = std::string(block.text) + "\n";
  const int code = wolfSSL_CTX_use_PrivateKey_buffer(
      context, bytes_of(key), static_cast<long>(key.size()), WOLFSSL_FILETYPE_PEM);
  explicit_bzero(key.data(), key.size());
  if (code != WOLFSSL_SUCCESS) return explain("the private key cannot be read", code);
  if (wolfSSL_CTX_check_private_key(context) != WOLFSSL_SUCCESS) {
    return "the private key does not match the certificate";
  }
  return {};
}

// The alternative names of the first certificate.
std::vector<std::string> names_in(const std::string& chain) {
  DerBuffer* der = nullptr;
  if (wc_PemToDer(bytes_of(chain), static_cast<long>(chain.size()), CERT_TYPE, &der, nullptr,
                  nullptr, nullptr) != 0) {
    return {};
  }
  const auto cert = std::make_unique<DecodedCert>();
  wc_InitDecodedCert(cert.get(), der->buffer, der->length, nullptr);
  std::vector<std::string> names;
  if (wc_ParseCert(cert.get(), CERT_TYPE, NO_VERIFY, nullptr) == 0) {
    for (const DNS_entry* name = cert->altNames; name != nullptr; name = name->next) {
      if (name->type != ASN_DNS_TYPE || name->name == nullptr || name->len <= 0) continue;
      names.emplace_back(name->name, static_cast<std::size_t>(name->len));
    }
  }
  wc_FreeDecodedCert(cert.get());
  wc_FreeDer(&der);
  return names;
}

Problem set_up_server(WOLFSSL_CTX* context, const Pem& pem, TicketKeys& tickets) {
  if (auto problem = prepare(context, kSuites)) return problem;
  if (auto problem = use_groups(context, *groups_named({}))) return problem;
  wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, nullptr);
  wolfSSL_CTX_UseSessionTicket(context);  // TLS 1.2: another one instead of one that is refused
  wolfSSL_CTX_set_TicketEncCb(context, Callbacks::ticket);
  wolfSSL_CTX_set_TicketEncCtx(context, &tickets);
  wolfSSL_CTX_set_TicketHint(context, static_cast<int>(tickets.lifetime().count()));
  if (auto problem = use_chain(context, pem.chain)) return problem;
  return use_key(context, pem.key);
}

}  // namespace

std::expected<std::unique_ptr<ServerContexts>, std::string> ServerContexts::load(
    std::span<const Pem> certificates, TicketKeys& tickets, RecordBuffers* buffers) {
  if (certificates.empty()) return std::unexpected("no certificate");
  auto set = std::make_unique<ServerContexts>(tickets, buffers);
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    const auto added = set->add(certificates[i]);
    if (added) continue;
    const std::string which =
        certificates.size() > 1 ? "certificate " + std::to_string(i + 1) + ": " : "";
    return std::unexpected(which + added.error());
  }
  return set;
}

ServerContexts::ServerContexts(TicketKeys& tickets, RecordBuffers* buffers)
    : tickets_(tickets), buffers_(buffers), certificates_(std::make_shared<Certificates>()) {
  ready_library();
}

ServerContexts::~ServerContexts() = default;

std::size_t ServerContexts::size() const {
  return certificates_->contexts.size();
}

std::expected<void, std::string> ServerContexts::add(const Pem& certificate) {
  auto made = std::make_shared<ServerContext>();
  made->context = make_context(wolfSSLv23_server_method(), buffers_);
  if (auto problem = set_up_server(made->context, certificate, tickets_))
    return std::unexpected(*std::move(problem));
  made->names = names_in(certificates_of(certificate.chain));
  append(std::move(made));
  return {};
}

void ServerContexts::add(const ServerContexts& other, std::size_t index) {
  append(other.certificates_->contexts[index]);
}

bool ServerContexts::shares(const ServerContexts& other, std::size_t index) const {
  const auto& contexts = certificates_->contexts;
  const auto& wanted = other.certificates_->contexts[index];
  return std::find(contexts.begin(), contexts.end(), wanted) != contexts.end();
}

void ServerContexts::append(std::shared_ptr<const ServerContext> context) {
  for (const std::string& name : context->names) certificates_->names.add(name, size());
  certificates_->contexts.push_back(std::move(context));
}

ServerContext::~ServerContext() {
  if (context != nullptr) wolfSSL_CTX_free(context);
}

}  // namespace tls
