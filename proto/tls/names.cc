// Whether a certificate is for a name: alternative names only, compared strictly.
#include <arpa/inet.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "proto/tls/wolf.hh"

namespace tls {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

// RFC 6125 section 6.4.3. "*.com" and the like match nothing: a wildcard stands under two labels at
// least.
bool name_matches(std::string_view pattern, std::string_view name) {
  if (same(pattern, name)) return true;
  if (!pattern.starts_with("*.")) return false;
  const std::string_view domain = pattern.substr(1);
  const std::size_t dot = name.find('.');
  return domain.find('.', 1) != std::string_view::npos && dot != std::string_view::npos &&
         dot > 0 && same(domain, name.substr(dot));
}

struct Decoded {
  Decoded(const unsigned char* der, unsigned size) {
    wc_InitDecodedCert(&cert, der, size, nullptr);
    parsed = wc_ParseCert(&cert, CERT_TYPE, NO_VERIFY, nullptr) == 0;
  }
  ~Decoded() { wc_FreeDecodedCert(&cert); }
  DecodedCert cert;
  bool parsed;
};

}  // namespace

std::string address_bytes(const std::string& name) {
  std::string bytes(16, '\0');
  if (inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(4);
  if (inet_pton(AF_INET, name.c_str(), bytes.data()) == 1) return bytes;
  return {};
}

bool certificate_is_for(const unsigned char* der, unsigned size, const std::string& name) {
  // A name may be written with a final dot; a certificate's is not.
  std::string_view wanted = name;
  if (wanted.ends_with('.')) wanted.remove_suffix(1);
  if (wanted.empty()) return false;
  const std::string address = address_bytes(name);
  const auto decoded = std::make_unique<Decoded>(der, size);
  if (!decoded->parsed) return false;
  for (const DNS_entry* entry = decoded->cert.altNames; entry != nullptr; entry = entry->next) {
    if (entry->name == nullptr || entry->len <= 0) continue;
    const std::string_view value(entry->name, static_cast<std::size_t>(entry->len));
    if (!address.empty() ? entry->type == ASN_IP_TYPE && value == address
                         : entry->type == ASN_DNS_TYPE && name_matches(value, wanted)) {
      return true;
    }
  }
  return false;
}

}  // namespace tls
