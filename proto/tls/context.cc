#include "proto/tls/context.hh"

#include <algorithm>
#include <cstring>

#include "proto/tls/context_setup.hh"
#include "proto/tls/pem.hh"
#include "proto/tls/record_buffers.hh"

namespace tls {
namespace {

// Earlier libraries set groups in order only where there is TLS 1.3.
Problem use_curves(WOLFSSL_CTX* context, const std::vector<int>& ids) {
  for (const int id : ids) {
    if (wolfSSL_CTX_UseSupportedCurve(context, static_cast<word16>(id)) != WOLFSSL_SUCCESS) {
      return "the groups were refused";
    }
  }
  return {};
}

Problem set_up_client(WOLFSSL_CTX* context, const ClientOptions& options,
                      const std::vector<int>& groups) {
  if (auto problem = prepare(context, options.suites.empty() ? kSuites : options.suites.c_str())) {
    return problem;
  }
  auto problem = options.version_max == Version::k13 ? use_groups(context, groups)
                                                     : use_curves(context, groups);
  if (problem) return problem;
  wolfSSL_CTX_UseSessionTicket(context);  // TLS 1.2 has to ask for them
  if (!options.certificate.chain.empty()) {
    if (problem = use_pair(context, options.certificate); problem) return problem;
  }
  if (!options.verify) {
    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, nullptr);
    return {};
  }
  wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, Callbacks::verify);
  const std::string ca = certificates_of(options.ca);
  if (ca.empty()) return "no authority: no complete BEGIN CERTIFICATE block in it";
  const int code = wolfSSL_CTX_load_verify_buffer(
      context, bytes_of(ca), static_cast<long>(ca.size()), WOLFSSL_FILETYPE_PEM);
  if (code != WOLFSSL_SUCCESS) return explain("an authority's certificate cannot be used", code);
  return {};
}

}  // namespace

std::expected<std::unique_ptr<ClientContext>, std::string> ClientContext::load(
    const ClientOptions& options, RecordBuffers* buffers) {
  ready_library();
  std::unique_ptr<ClientContext> made(new ClientContext);
  const bool newest = options.version_max == Version::k13;
  made->context_ =
      make_context(newest ? wolfSSLv23_client_method() : wolfTLSv1_2_client_method(), buffers);
  if (buffers != nullptr) made->account_ = &buffers->account();
  const auto groups = groups_named(options.groups);
  if (!groups) return std::unexpected(groups.error());
  if (auto problem = set_up_client(made->context_, options, *groups)) {
    return std::unexpected(*problem);
  }
  made->options_ = options;
  made->options_.ca.clear();
  explicit_bzero(made->options_.certificate.key.data(), made->options_.certificate.key.size());
  made->options_.certificate = {};
  // The hybrid one and the one that every server has, as browsers do: no second round trip.
  if (newest) {
    const std::size_t count = std::min<std::size_t>(2, groups->size());
    for (std::size_t i = 0; i < count; ++i) {
      made->key_shares_.push_back(static_cast<std::uint16_t>((*groups)[i]));
    }
  }
  return made;
}

ClientContext::~ClientContext() {
  if (context_ != nullptr) wolfSSL_CTX_free(context_);
}

}  // namespace tls
