#include "gateway/config/pem.hh"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "proto/tls/credentials.hh"
#include "proto/tls/pem.hh"
#include "proto/tls/staple.hh"

namespace gateway::config {
namespace {

std::string about_certificate(const std::string& path, std::string_view what) {
  return fmt::format("certificate file '{}' {}", path, what);
}

std::string about_ca(const std::string& path, std::string_view what) {
  return fmt::format("CA file '{}' {}", path, what);
}

}  // namespace

std::expected<std::string, std::string> PemFiles::read(const std::string& path,
                                                       std::string_view if_absent,
                                                       std::string_view cure) {
  FileState state;
  auto text = read(path, if_absent, cure, state);
  if (files_ != nullptr) files_->insert_or_assign(path, state);
  return text;
}

std::expected<std::string, std::string> PemFiles::read_unnamed(const std::string& path) {
  FileState unwanted;
  return read(path, "", kCure, unwanted);
}

std::expected<std::string, std::string> PemFiles::read(const std::string& path,
                                                       std::string_view if_absent,
                                                       std::string_view cure, FileState& state) {
  if (const auto found = contents_.find(path); found != contents_.end()) {
    state = found->second.state;
    return found->second.text;
  }
  const std::string absent = fmt::format("does not exist{}", if_absent);
  auto text = read_small_file(path, {.if_absent = absent, .cure = cure}, kFilePatience, &state);
  if (text) contents_.emplace(path, Contents{*text, state});
  return text;
}

LoadedCertificate load_certificate(PemFiles& files, const Certificate& certificate,
                                   std::string_view if_absent, std::string_view if_keyless) {
  LoadedCertificate loaded;
  const std::string& chain_path = certificate.chain_path;
  const std::string& key_path = certificate.key_path;
  const bool one_file = chain_path == key_path;
  const auto complain = [&](bool of_key, std::string_view what) {
    loaded.faults.push_back({of_key, about_certificate(of_key ? key_path : chain_path, what)});
  };

  auto chain = files.read(chain_path, if_absent);
  if (!chain) complain(false, chain.error());
  if (!chain && one_file) return loaded;
  const auto found = chain ? tls::check_chain(*chain) : tls::Findings{};
  for (const std::string& fault : found.faults) complain(false, fault);
  for (const std::string& warning : found.warnings)
    loaded.warnings.push_back(about_certificate(chain_path, warning));

  auto key = one_file ? chain : files.read(key_path, if_absent);
  if (!key) complain(true, key.error());
  const auto key_found = key ? tls::check_key(*key, if_keyless) : tls::Findings{};
  // Of a file for both, that it is no PEM at all is told once.
  const bool told = one_file && tls::pem_blocks(*chain).empty();
  for (const std::string& fault : key_found.faults) {
    if (!told) complain(true, fault);
  }
  if (!loaded.faults.empty()) return loaded;

  loaded.pem = {*std::move(chain), *std::move(key)};
  const std::string where = one_file ? "in it" : fmt::format("in '{}'", chain_path);
  const tls::PairFault fault = tls::check_pair(loaded.pem, where);
  if (!fault.text.empty()) complain(fault.of_key, fault.text);
  return loaded;
}

LoadedCa load_ca(PemFiles& files, const std::string& path, std::string_view if_absent) {
  auto text = files.read(path, if_absent);
  if (!text) return {.faults = {about_ca(path, text.error())}};
  LoadedCa loaded;
  const tls::Findings found = tls::check_authorities(*text);
  loaded.text = *std::move(text);
  for (const std::string& fault : found.faults) loaded.faults.push_back(about_ca(path, fault));
  for (const std::string& warning : found.warnings)
    loaded.warnings.push_back(about_ca(path, warning));
  return loaded;
}

LoadedCa load_crl(PemFiles& files, const std::string& path, const std::string& ca,
                  std::string_view if_absent) {
  const auto about = [&](std::string_view what) {
    return fmt::format("CRL file '{}' {}", path, what);
  };
  auto text = files.read(path, if_absent);
  if (!text) return {.faults = {about(text.error())}};
  LoadedCa loaded;
  const tls::Findings found = tls::check_lists(*text, ca);
  loaded.text = *std::move(text);
  for (const std::string& fault : found.faults) loaded.faults.push_back(about(fault));
  for (const std::string& warning : found.warnings) loaded.warnings.push_back(about(warning));
  return loaded;
}

LoadedStaple load_staple(PemFiles& files, const std::string& path, const std::string& chain,
                         std::string_view if_absent) {
  const auto about = [&](std::string_view what) {
    return fmt::format("OCSP file '{}' {}", path, what);
  };
  auto text = files.read(path, if_absent, "name what 'openssl ocsp -respout FILE' writes");
  if (!text) return {.faults = {about(text.error())}};
  if (chain.empty()) return {};
  tls::StapleFile file = tls::read_staple(*text, chain);
  // Who is unknown is not shown at all, so nothing ends.
  const bool is_shown = file.status.kind != tls::OcspStatus::Kind::kUnknown;
  LoadedStaple loaded{.der = std::move(file.der), .until = is_shown ? file.status.until : 0};
  for (const std::string& fault : file.found.faults) loaded.faults.push_back(about(fault));
  for (const std::string& warning : file.found.warnings) loaded.warnings.push_back(about(warning));
  return loaded;
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

std::expected<void, std::string> load_system_ca(PemFiles& files, PoolTls& tls) {
  const auto path = find_system_ca();
  if (!path) return std::unexpected(path.error());
  auto text = files.read_unnamed(*path);
  if (!text) return std::unexpected(about_ca(*path, text.error()));
  if (const auto usable = tls::ClientContext::load({.ca = *text}); !usable)
    return std::unexpected(about_ca(*path, "cannot be used: " + usable.error()));
  tls.ca_path = *path;
  tls.ca = *std::move(text);
  return {};
}

}  // namespace gateway::config
