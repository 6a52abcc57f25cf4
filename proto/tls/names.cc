// Certificates and names: alternative names only, compared strictly.
#include <arpa/inet.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "proto/tls/name_table.hh"
#include "proto/tls/policy_names.hh"
#include "proto/tls/wolf.hh"

namespace tls {
namespace {

constexpr std::size_t kNameSizeMax = 255;  // RFC 1035 section 2.3.4

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string lowered(std::string_view text) {
  std::string copy(text);
  std::transform(copy.begin(), copy.end(), copy.begin(), lower);
  return copy;
}

// Of "*.example.com" ".example.com"; empty for what is no wildcard, and for "*.com" and the like,
// which match nothing: a wildcard stands under two labels at least (RFC 6125 section 6.4.3).
std::string_view wildcard_domain(std::string_view pattern) {
  if (!pattern.starts_with("*.")) return {};
  const std::string_view domain = pattern.substr(1);
  return domain.find('.', 1) != std::string_view::npos ? domain : std::string_view{};
}

// Of "www.example.com" ".example.com"; empty where there is no label before a dot.
std::string_view domain_of(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 ? name.substr(dot) : std::string_view{};
}

bool name_matches(std::string_view pattern, std::string_view name) {
  if (same(pattern, name)) return true;
  const std::string_view domain = wildcard_domain(pattern);
  return !domain.empty() && same(domain, domain_of(name));
}

// A name may be written with a final dot; a certificate's is not.
std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
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
  const std::string_view wanted = without_final_dot(name);
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

void NameTable::add(std::string_view pattern, std::size_t certificate) {
  if (pattern.empty()) return;
  if (!pattern.starts_with("*.")) {
    exact_.try_emplace(lowered(pattern), certificate);
  } else if (const auto domain = wildcard_domain(pattern); !domain.empty()) {
    wildcards_.try_emplace(lowered(domain), certificate);
  }
}

std::size_t NameTable::certificate_for(std::string_view name) const {
  if (name.size() > kNameSizeMax) return 0;
  const std::string wanted = lowered(without_final_dot(name));
  if (const auto found = exact_.find(wanted); found != exact_.end()) return found->second;
  const auto found = wildcards_.find(std::string(domain_of(wanted)));
  return found != wildcards_.end() ? found->second : 0;
}

bool PolicyNames::add(std::string_view pattern, std::size_t policy) {
  const bool is_suffix = pattern.starts_with("*.");
  Table& table = is_suffix ? suffixes_ : exact_;
  return table.try_emplace(lowered(pattern.substr(is_suffix ? 1 : 0)), policy).second;
}

std::size_t PolicyNames::find(std::string_view name) const {
  name = without_final_dot(name);
  if (empty() || name.empty() || name.size() > kNameSizeMax) return 0;
  const std::string wanted = lowered(name);
  if (const auto found = exact_.find(wanted); found != exact_.end()) return found->second;
  // From the first dot on, the longest suffix comes first.
  for (std::size_t dot = wanted.find('.', 1); dot != wanted.npos; dot = wanted.find('.', dot + 1)) {
    const auto found = suffixes_.find(std::string_view(wanted).substr(dot));
    if (found != suffixes_.end()) return found->second;
  }
  return 0;
}

}  // namespace tls
