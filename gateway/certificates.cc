#include "gateway/certificates.hh"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "proto/tls/self_signed.hh"
#include "proto/tls/ticket_keys.hh"

namespace gateway {
namespace {

std::expected<std::string, std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return std::unexpected("cannot read " + path + ": " + strerrordesc_np(errno));
  }
  return text.str();
}

std::expected<tls::Pem, std::string> read_certificate(const config::Certificate& certificate) {
  auto chain = read_file(certificate.chain_path);
  if (!chain) return std::unexpected(chain.error());
  auto key = read_file(certificate.key_path);
  if (!key) return std::unexpected(key.error());
  return tls::Pem{std::move(*chain), std::move(*key)};
}

}  // namespace

std::expected<std::vector<tls::Pem>, std::string> load_certificates(const config::Tls& settings,
                                                                    Log& log) {
  std::vector<tls::Pem> pems;
  if (settings.self_signed) {
    auto pem = tls::make_self_signed();
    if (!pem) return std::unexpected(pem.error());
    pems.push_back(std::move(*pem));
    log.warning(
        "serving a self-signed certificate for localhost: for development only, browsers will "
        "warn; "
        "set certificates = [\"site.pem\"] for real use");
  }
  for (const config::Certificate& certificate : settings.certificates) {
    auto pem = read_certificate(certificate);
    if (!pem) return std::unexpected(pem.error());
    pems.push_back(std::move(*pem));
  }
  tls::TicketKeys unused;
  const auto contexts = tls::ServerContexts::load(pems, unused);
  if (!contexts) {
    const std::string file =
        settings.certificates.empty() ? "self-signed" : settings.certificates[0].chain_path;
    return std::unexpected("certificates (first: " + file + "): " + contexts.error());
  }
  for (const std::string& warning : (*contexts)->warnings()) log.warning("{}", warning);
  return pems;
}

}  // namespace gateway
