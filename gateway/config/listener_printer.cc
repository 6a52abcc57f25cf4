#include "gateway/config/listener_printer.hh"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include "gateway/config/client_certificates.hh"
#include "gateway/config/toml_text.hh"

namespace gateway::config {
namespace {

std::string print_certificate(const Certificate& certificate) {
  const std::string& staple = certificate.staple_path;
  return fmt::format("{{ chain = {}, key = {}{} }}", quote(certificate.chain_path),
                     quote(certificate.key_path),
                     staple.empty() ? "" : ", ocsp_staple = " + quote(staple));
}

template <typename Entry>
std::string name_or_id(const Entry* entry, char* Entry::*name, unsigned id) {
  return entry == nullptr ? fmt::to_string(id) : entry->*name;
}

}  // namespace

std::string unix_file_lines(const UnixFile& file) {
  std::string lines;
  if (file.mode) lines += fmt::format("mode = \"{:04o}\"\n", *file.mode);
  std::string owner;
  if (file.owner) owner = name_or_id(getpwuid(*file.owner), &passwd::pw_name, *file.owner);
  if (file.group) owner += ':' + name_or_id(getgrgid(*file.group), &group::gr_name, *file.group);
  if (!owner.empty()) lines += fmt::format("owner = {}\n", quote(owner));
  return lines;
}

std::string tls_lines(const Tls& tls) {
  const std::string certificates =
      tls.self_signed ? quote("self-signed") : list(tls.certificates, print_certificate);
  return fmt::format("certificates = {}\n{}", certificates, client_lines(tls));
}

std::string admin_lines(const AdminSettings& admin) {
  std::string lines = "\n[admin]\n";
  lines += fmt::format("address = {}\n", quote(admin.address ? admin.address->text() : "off"));
  lines += unix_file_lines(admin.unix_file);
  if (!admin.token_path.empty()) lines += fmt::format("token_file = {}\n", quote(admin.token_path));
  lines += fmt::format("hosts = {}\ncapture_payload = {}\n", list(admin.hosts, quote),
                       admin.capture_payload);
  if (admin.tls) lines += tls_lines(*admin.tls);
  return lines;
}

}  // namespace gateway::config
