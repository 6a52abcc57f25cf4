#include <algorithm>
#include <cstring>
#include <utility>

#include "proto/tls/context.hh"
#include "proto/tls/context_setup.hh"
#include "proto/tls/pem.hh"
#include "proto/tls/ticket_keys.hh"

namespace tls {
namespace {

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

Problem set_up_server(WOLFSSL_CTX* context, const Pem& pem, const ClientPolicy* clients,
                      TicketKeys& tickets) {
  if (auto problem = prepare(context, kSuites)) return problem;
  if (auto problem = use_groups(context, *groups_named({}))) return problem;
  wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, nullptr);
  if (clients != nullptr) clients->ask(context);
  wolfSSL_CTX_UseSessionTicket(context);  // TLS 1.2: another one instead of one that is refused
  wolfSSL_CTX_set_TicketEncCb(context, Callbacks::ticket);
  wolfSSL_CTX_set_TicketEncCtx(context, &tickets);
  // What the hint promises: the library would resume no TLS 1.2 session after 500 s.
  wolfSSL_CTX_set_TicketHint(context, static_cast<int>(tickets.lifetime().count()));
  wolfSSL_CTX_set_timeout(context, static_cast<unsigned>(tickets.lifetime().count()));
  return use_pair(context, pem);
}

}  // namespace

std::expected<std::unique_ptr<ServerContexts>, std::string> ServerContexts::load(
    std::span<const Pem> certificates, TicketKeys& tickets, RecordBuffers* buffers,
    const ClientCheck* clients) {
  if (certificates.empty()) return std::unexpected("no certificate");
  auto set = std::make_unique<ServerContexts>(tickets, buffers);
  if (clients != nullptr) {
    if (const auto checks = set->check_clients(*clients); !checks)
      return std::unexpected(checks.error());
  }
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

std::expected<void, std::string> ServerContexts::check_clients(const ClientCheck& clients) {
  auto policy = std::make_shared<ClientPolicy>();
  if (auto problem = policy->load(clients)) return std::unexpected(*std::move(problem));
  clients_ = std::move(policy);
  return {};
}

void ServerContexts::check_clients_like(const ServerContexts& other) {
  clients_ = other.clients_;
}

std::expected<void, std::string> ServerContexts::add(const Pem& certificate) {
  auto made = std::make_shared<ServerContext>();
  made->context = make_context(wolfSSLv23_server_method(), buffers_);
  if (auto problem = set_up_server(made->context, certificate, clients_.get(), tickets_))
    return std::unexpected(*std::move(problem));
  if (auto problem = made->take_staple(certificate)) return std::unexpected(*std::move(problem));
  made->clients = clients_;
  made->names = names_in(certificates_of(certificate.chain));
  append(std::move(made));
  return {};
}

void ServerContexts::add(const ServerContexts& other, std::size_t index) {
  append(other.certificates_->contexts[index]);
}

void ServerContexts::add_policy(std::span<const std::string> names, const ServerContexts& other) {
  certificates_->policies.push_back(other.certificates_);
  for (const std::string& name : names) {
    certificates_->policy_names.add(name, certificates_->policies.size());
  }
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
