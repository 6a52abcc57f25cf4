#include "gateway/config/names.hh"

#include <algorithm>
#include <cctype>
#include <string>

#include "gateway/config/address.hh"

namespace gateway::config {
namespace {

constexpr size_t kHostBytesMax = 253;  // RFC 1035 section 2.3.4, without the root's dot

bool is_name_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_byte);
}

bool is_query_name(std::string_view text) {
  constexpr size_t kBytesMax = 64;
  return is_name(text) && text.size() <= kBytesMax;
}

bool is_host(std::string_view host) {
  if (host.starts_with('['))
    return host.ends_with(']') && host.find('%') == host.npos &&
           literal_address({std::string(host.substr(1, host.size() - 2)), 1}).has_value();
  if (host.starts_with("*.")) host.remove_prefix(2);
  return is_name(host) && host.size() <= kHostBytesMax && host.find("..") == host.npos &&
         host.front() != '.' && host.back() != '.';
}

}  // namespace gateway::config
