#include "gateway/rewrite/client_of.hh"

#include <algorithm>

#include "proto/http/syntax.hh"

namespace gateway {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::size_t kAddressBytesMax = 45;  // IPv6 with IPv4 at its end

std::string_view without_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool is_escaped(std::string_view text, std::size_t at) {
  std::size_t backslashes = 0;
  while (backslashes < at && text[at - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

// Calls visit(element) for what stands between commas, the last one first, until it says false. So
// what a proxy has added is read as it was written, whatever the client began the line with.
template <class Visit>
bool each_from_the_end(std::string_view text, bool has_quotes, Visit visit) {
  bool quoted = false;
  for (std::size_t at = text.size(); at > 0; --at) {
    const char c = text[at - 1];
    if (has_quotes && c == '"' && !is_escaped(text, at - 1)) quoted = !quoted;
    if (c != ',' || quoted) continue;
    if (!visit(without_blanks(text.substr(at)))) return false;
    text = text.substr(0, at - 1);
  }
  return visit(without_blanks(text));
}

// Calls visit(part) for what stands between separators that are in no quoted string.
template <class Visit>
void split(std::string_view text, char separator, Visit visit) {
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[at] == separator) {
      visit(without_blanks(text.substr(begin, at - begin)));
      begin = at + 1;
    }
  }
  visit(without_blanks(text.substr(begin)));
}

// The address in an element of Forwarded; empty where it says none.
std::string_view forwarded_for(std::string_view element) {
  constexpr std::string_view kFor = "for=";
  std::string_view hop;
  split(element, ';', [&](std::string_view pair) {
    if (!http::equals_ignoring_case(pair.substr(0, kFor.size()), kFor)) return;
    hop = pair.substr(kFor.size());
    if (hop.size() >= 2 && hop.front() == '"' && hop.back() == '"')
      hop = hop.substr(1, hop.size() - 2);
  });
  return hop;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<config::Octets> address_of_hop(std::string_view hop) {
  std::string_view host = hop;
  std::string_view behind;
  if (hop.starts_with('[')) {
    const std::size_t end = hop.find(']');
    if (end == hop.npos) return std::nullopt;
    host = hop.substr(1, end - 1);
    behind = hop.substr(end + 1);
    if (host.find(':') == host.npos) return std::nullopt;
  } else if (std::ranges::count(hop, ':') == 1) {
    host = hop.substr(0, hop.find(':'));
    behind = hop.substr(host.size());
  }
  const bool has_port = behind.starts_with(':') && is_port(behind.substr(1));
  if (!behind.empty() && !has_port) return std::nullopt;
  if (host.empty() || host.size() > kAddressBytesMax) return std::nullopt;
  if (host.find('/') != host.npos) return std::nullopt;
  const auto network = config::parse_network(host);
  if (!network) return std::nullopt;
  return network->address;
}

std::optional<config::Octets> client_of(const http::Fields& fields, proto::Bytes buffer,
                                        const std::optional<config::Octets>& peer,
                                        const config::TrustedProxies& trusted) {
  std::optional<config::Octets> client = peer;
  std::size_t hops = 0;
  const auto walk = [&](std::string_view name, bool has_pairs) {
    const auto look_at = [&](std::string_view element) {
      if (element.empty()) return true;
      if (++hops > kHopsMax) return false;
      const auto address = address_of_hop(has_pairs ? forwarded_for(element) : element);
      if (!address) return false;
      client = address;
      return trusted.contain(*address);
    };
    const auto all = fields.all();
    for (auto field = all.rbegin(); field != all.rend(); ++field) {
      if (!http::equals_ignoring_case(field->name.in(buffer), name)) continue;
      if (!each_from_the_end(field->value.in(buffer), has_pairs, look_at)) return;
    }
  };
  walk("X-Forwarded-For", false);
  if (hops == 0) walk("Forwarded", true);
  return client;
}

}  // namespace gateway
