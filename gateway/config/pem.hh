// PEM files as the configuration names them: that they are there, readable, and hold what they
// should. Only what a person gets wrong with files; the TLS engine judges the rest.
// Failures are words that fit behind the file's name; `if_absent` goes behind "does not exist", and
// `if_keyless` behind "holds no private key".
#pragma once

#include <array>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hh"

namespace gateway::config {

std::expected<std::string, std::string> read_pem(const std::string& path,
                                                 std::string_view if_absent);

struct CertificateFault {
  bool of_key;          // of `key_path`, else of `chain_path`
  std::string message;  // with the file's name
};
std::vector<CertificateFault> check_certificate(const Certificate& certificate,
                                                std::string_view if_absent,
                                                std::string_view if_keyless);

// The text of a file of CA certificates; a failure is a whole sentence, with the file's name.
std::expected<std::string, std::string> read_ca(const std::string& path,
                                                std::string_view if_absent);

// Where Debian and Fedora, and what comes from them, keep the certificates of public CAs.
inline constexpr std::array<std::string_view, 2> kSystemCaPaths = {
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"};

// The first that exists; a failure names the cure.
std::expected<std::string, std::string> find_system_ca(
    std::span<const std::string_view> paths = kSystemCaPaths);

}  // namespace gateway::config
