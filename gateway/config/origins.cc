#include "gateway/config/origins.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proto/http/syntax.hh"
#include "proto/http/target.hh"

namespace gateway::config {
namespace {

using http::equals_ignoring_case;

constexpr std::string_view kNull = "null";
constexpr std::string_view kNone = "none";
constexpr std::string_view kBehindScheme = "://";
constexpr std::string_view kSubdomains = "*.";
constexpr std::string_view kForm =
    "must be an origin as browsers send it, such as \"https://chat.example.com\" or "
    "\"https://*.example.com\", or \"null\" or \"none\"";

struct Parts {
  std::string_view scheme;
  std::string_view host;
  std::uint16_t port;
};

bool is_scheme(std::string_view text) {
  return !text.empty() && http::is_alpha(text.front()) && std::ranges::all_of(text, [](char c) {
    return http::is_alpha(c) || http::is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

std::uint16_t default_port(std::string_view scheme) {
  if (equals_ignoring_case(scheme, "https")) return 443;
  return equals_ignoring_case(scheme, "http") ? 80 : 0;
}

// scheme "://" host [":" port] (RFC 6454 section 6.2). Nothing: it is no such text.
std::optional<Parts> parse(std::string_view origin) {
  const std::size_t colon = origin.find(kBehindScheme);
  if (colon == origin.npos) return std::nullopt;
  const std::string_view scheme = origin.substr(0, colon);
  const std::string_view authority = origin.substr(colon + kBehindScheme.size());
  if (!is_scheme(scheme)) return std::nullopt;
  // Some browsers say that of pages that are files.
  if (authority.empty() && equals_ignoring_case(scheme, "file")) return Parts{scheme, "", 0};
  const auto parsed = http::parse_authority(authority);
  if (!parsed || authority.ends_with(':')) return std::nullopt;
  return Parts{scheme, parsed->host, parsed->port.value_or(default_port(scheme))};
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), http::to_lower);
  return lower;
}

// What is meant by a text that is no origin, where that can be told; in words behind "'TEXT' ".
std::string fault_of(std::string_view text) {
  if (text == "*") return "is no origin: write origins = [] to let anybody in";
  const std::size_t colon = text.find(kBehindScheme);
  if (colon == text.npos) {
    const std::size_t host_at = text.starts_with(kSubdomains) ? kSubdomains.size() : 0;
    const std::string_view host = text.substr(host_at);
    if (!host.contains('.') || !parse(fmt::format("https://{}", host))) return std::string(kForm);
    return fmt::format("has no scheme: write \"https://{}\"", text);
  }
  const std::size_t host_at = colon + kBehindScheme.size();
  const std::size_t host_end = text.find_first_of("/?#", host_at);
  if (host_end != text.npos && host_end > host_at) {
    const bool just_slash = host_end + 1 == text.size() && text.ends_with('/');
    return fmt::format("{}, which no origin has: write \"{}\"",
                       just_slash ? "ends in a slash" : "has a path", text.substr(0, host_end));
  }
  if (text.find('@', host_at) != text.npos) return "must not name a user";
  if (text.find('*', host_at) != text.npos) {
    return "has a '*' where it means nothing: \"https://*.example.com\" stands for all hosts that "
           "end so";
  }
  if (text.ends_with('.')) return "ends in a dot: leave it out";
  return std::string(kForm);
}

}  // namespace

std::string Origins::Named::text() const {
  std::string text = scheme + std::string(kBehindScheme);
  if (subdomains) text += kSubdomains;
  text += host;
  if (port != default_port(scheme)) text += fmt::format(":{}", port);
  return text;
}

std::optional<std::string> Origins::add(std::string_view text) {
  constexpr std::string_view kTwice = "is given twice";
  for (const auto& [word, flag] : {std::pair(kNull, &null_), std::pair(kNone, &none_)}) {
    if (text != word) continue;
    if (std::exchange(*flag, true)) return std::string(kTwice);
    return std::nullopt;
  }
  std::string plain(text);
  const std::size_t colon = text.find(kBehindScheme);
  const std::size_t host_at = colon == text.npos ? 0 : colon + kBehindScheme.size();
  const bool subdomains = text.substr(host_at).starts_with(kSubdomains);
  if (subdomains) plain.erase(host_at, kSubdomains.size());
  const auto parts = parse(plain);
  const auto has_labels = [](std::string_view host) {
    return !host.empty() && !host.starts_with('[');
  };
  const bool has_fit_host =
      parts && !parts->host.ends_with('.') && (!subdomains || has_labels(parts->host));
  if (!has_fit_host) return fault_of(text);
  Named named{.scheme = in_lower_case(parts->scheme),
              .host = in_lower_case(parts->host),
              .subdomains = subdomains,
              .port = parts->port};
  if (named.scheme == "ws" || named.scheme == "wss") {
    named.scheme = named.scheme == "ws" ? "http" : "https";
    if (named.port == 0) named.port = default_port(named.scheme);
    return fmt::format(
        "is where a WebSocket leads to: write the origin of the page that opens it, "
        "such as \"{}\"",
        named.text());
  }
  if (std::ranges::find(named_, named) != named_.end()) return std::string(kTwice);
  named_.push_back(std::move(named));
  return std::nullopt;
}

bool Origins::contain(std::optional<std::string_view> origin) const {
  if (!origin) return none_;
  if (*origin == kNull) return null_;
  const auto parts = parse(*origin);
  if (!parts) return false;
  const std::string_view host = parts->host;
  return std::ranges::any_of(named_, [&](const Named& named) {
    if (named.port != parts->port || host.size() < named.host.size()) return false;
    const std::size_t front_bytes = host.size() - named.host.size();
    const std::string_view front = host.substr(0, front_bytes);
    const bool fits = named.subdomains ? front_bytes > 1 && front.ends_with('.') : front.empty();
    return fits && equals_ignoring_case(host.substr(front_bytes), named.host) &&
           equals_ignoring_case(parts->scheme, named.scheme);
  });
}

std::vector<std::string> Origins::texts() const {
  std::vector<std::string> texts;
  for (const Named& named : named_) texts.push_back(named.text());
  if (null_) texts.emplace_back(kNull);
  if (none_) texts.emplace_back(kNone);
  return texts;
}

}  // namespace gateway::config
