#include "gateway/config/redirect.hh"

#include <algorithm>

#include "proto/http/target.hh"

namespace gateway::config {
namespace {

using Values = std::array<std::string_view, kRedirectPlaceholders.size()>;

std::string expand(std::string_view text, const Values& values) {
  std::string expanded;
  while (!text.empty()) {
    const std::size_t brace = std::min(text.find('{'), text.size());
    expanded.append(text.substr(0, brace));
    text.remove_prefix(brace);
    const std::size_t size_before = text.size();
    for (std::size_t index = 0; index < values.size(); ++index) {
      if (!text.starts_with(kRedirectPlaceholders[index])) continue;
      expanded.append(values[index]);
      text.remove_prefix(kRedirectPlaceholders[index].size());
      break;
    }
    const bool is_just_a_brace = !text.empty() && text.size() == size_before;
    if (!is_just_a_brace) continue;
    expanded.push_back(text.front());
    text.remove_prefix(1);
  }
  return expanded;
}

// What stands where a host does; nothing in a path.
std::optional<std::string_view> host_part(std::string_view to) {
  const std::size_t slashes = to.find("//");
  if (slashes == to.npos) return std::nullopt;
  const std::string_view scheme = to.substr(0, slashes);
  if (!scheme.empty() && scheme != "http:" && scheme != "https:") return std::nullopt;
  const std::string_view rest = to.substr(slashes + 2);
  return rest.substr(0, std::min(rest.find_first_of("/\\?#"), rest.find("{target}")));
}

// Without the dot behind a name that is complete: more may follow it here.
std::string_view dotless(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

// Browsers take "\" for "/".
void merge_leading_slashes(std::string& path) {
  const std::size_t begin = std::min(path.find_first_not_of("/\\"), path.size());
  path.replace(0, begin, "/");
}

}  // namespace

std::optional<std::string> redirect_location(std::string_view to, std::string_view authority,
                                             std::string_view target) {
  const auto asked = http::parse_authority(authority);
  const Values values{asked ? dotless(asked->host) : "", asked ? authority : "", target};
  std::string location = expand(to, values);
  const auto host = host_part(to);
  if (!host) {
    merge_leading_slashes(location);
    return location;
  }
  const bool is_the_requests = host->find('{') != host->npos;
  if (is_the_requests && !asked) return std::nullopt;
  if (!http::parse_authority(expand(*host, values))) return std::nullopt;
  return location;
}

}  // namespace gateway::config
