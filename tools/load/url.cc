#include "tools/load/url.hh"

namespace load {

std::expected<Url, std::string> parse_url(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("ws://")) {
    rest.remove_prefix(5);
  } else if (rest.starts_with("wss://")) {
    url.secure = true;
    rest.remove_prefix(6);
  } else {
    return std::unexpected("not a ws:// or wss:// URL: " + std::string(text));
  }
  for (const char c : rest) {
    if (c <= ' ' || c >= 0x7f || c == '#') {
      return std::unexpected("not allowed in a URL: " + std::string(text));
    }
  }
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  url.authority = rest.substr(0, path);
  url.target = rest.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  auto host_port = tools::split_host_port(url.authority, url.secure ? 443 : 80);
  if (!host_port) return std::unexpected(host_port.error());
  url.host_port = *host_port;
  return url;
}

}  // namespace load
