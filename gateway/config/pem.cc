#include "gateway/config/pem.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace gateway::config {
namespace {

constexpr size_t kPemBytesMax = 1 << 20;
constexpr std::string_view kCertificateStart = "-----BEGIN CERTIFICATE-----";

}  // namespace

std::expected<std::string, std::string> read_pem(const std::string& path,
                                                 std::string_view if_absent) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 && errno == ENOENT)
    return std::unexpected(fmt::format("does not exist{}", if_absent));
  if (S_ISDIR(status.st_mode)) return std::unexpected("is a folder, not a PEM file");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return std::unexpected(fmt::format(
        "cannot be read: {}; let the user that runs the gateway read it", std::strerror(errno)));
  std::string text(kPemBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad()) return std::unexpected("cannot be read");
  if (text.size() > kPemBytesMax) return std::unexpected("is larger than 1MiB: no PEM file");
  return text;
}

std::vector<CertificateFault> check_certificate(const Certificate& certificate,
                                                std::string_view if_absent,
                                                std::string_view if_keyless) {
  std::vector<CertificateFault> faults;
  const bool one_file = certificate.chain_path == certificate.key_path;
  const auto complain = [&](bool of_key, std::string_view what) {
    const std::string& path = of_key ? certificate.key_path : certificate.chain_path;
    faults.push_back({of_key, fmt::format("certificate file '{}' {}", path, what)});
  };
  const auto chain = read_pem(certificate.chain_path, if_absent);
  if (!chain) {
    complain(false, chain.error());
  } else if (chain->find(kCertificateStart) == chain->npos) {
    complain(false, "holds no certificate in PEM form");
  }
  const auto key = one_file ? chain : read_pem(certificate.key_path, if_absent);
  if (!key) {
    if (!one_file) complain(true, key.error());
  } else if (key->find("ENCRYPTED") != key->npos) {
    complain(true,
             "holds a key that is encrypted; store it decrypted, readable by the gateway alone");
  } else if (key->find("PRIVATE KEY-----") == key->npos) {
    complain(true, fmt::format("holds no private key; {}", if_keyless));
  }
  return faults;
}

std::expected<std::string, std::string> read_ca(const std::string& path,
                                                std::string_view if_absent) {
  auto text = read_pem(path, if_absent);
  if (!text) return std::unexpected(fmt::format("CA file '{}' {}", path, text.error()));
  if (text->find(kCertificateStart) == text->npos)
    return std::unexpected(fmt::format("CA file '{}' holds no certificate in PEM form", path));
  return text;
}

std::expected<std::string, std::string> find_system_ca(std::span<const std::string_view> paths) {
  for (const std::string_view path : paths) {
    std::error_code failure;
    if (std::filesystem::exists(path, failure)) return std::string(path);
  }
  return std::unexpected(
      fmt::format("this system has no CA certificates ({}): install the package ca-certificates, "
                  "or name a file with ca = \"ca.pem\"",
                  fmt::join(paths, ", ")));
}

}  // namespace gateway::config
