#include "tools/load/target.hh"

#include <sys/un.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace load {
namespace {

constexpr std::string_view kWeight = ";weight=";

struct Scheme {
  std::string_view prefix;
  bool websocket;
  bool secure;
  bool socket;
};

constexpr Scheme kSchemes[] = {
    {"ws://", true, false, false},      {"wss://", true, true, false},
    {"http://", false, false, false},   {"https://", false, true, false},
    {"unix:", true, false, true},       {"ws+unix:", true, false, true},
    {"wss+unix:", true, true, true},    {"http+unix:", false, false, true},
    {"https+unix:", false, true, true},
};

std::unexpected<std::string> refuse(std::string_view why, std::string_view text) {
  return std::unexpected(std::string(why) + ": " + std::string(text));
}

std::expected<double, std::string> parse_weight(std::string_view text) {
  double weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || !std::isfinite(weight) || weight <= 0 || weight > 1e6) {
    return refuse("a weight is a number above 0, up to 1000000", text);
  }
  return weight;
}

std::expected<void, std::string> take_socket(std::string_view rest, Target& target) {
  const std::size_t colon = rest.find(":/");
  target.socket_path = rest.substr(0, colon);
  target.path = colon == std::string_view::npos ? "/" : std::string(rest.substr(colon + 1));
  target.authority = "localhost";
  target.host_port.host = "localhost";
  if (!target.socket_path.starts_with('/')) {
    return refuse("a Unix socket's path begins with /", target.text);
  }
  if (target.socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
    return refuse("a Unix socket's path has at most 107 bytes", target.text);
  }
  return {};
}

std::expected<void, std::string> take_authority(std::string_view rest, Target& target) {
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  target.authority = rest.substr(0, path);
  target.path = rest.substr(path);
  if (!target.path.starts_with('/')) target.path.insert(0, "/");
  auto host_port = tools::split_host_port(target.authority, target.secure ? 443 : 80);
  if (!host_port) return std::unexpected(host_port.error());
  target.host_port = *host_port;
  return {};
}

}  // namespace

std::expected<Target, std::string> parse_target(std::string_view text) {
  Target target;
  if (const std::size_t at = text.rfind(kWeight); at != std::string_view::npos) {
    const auto weight = parse_weight(text.substr(at + kWeight.size()));
    if (!weight) return std::unexpected(weight.error());
    target.weight = *weight;
    text = text.substr(0, at);
  }
  target.text = text;
  for (const char c : text) {
    if (c <= ' ' || c >= 0x7f || c == '#') return refuse("not allowed in a URL", text);
  }
  for (const Scheme& scheme : kSchemes) {
    if (!text.starts_with(scheme.prefix)) continue;
    target.websocket = scheme.websocket;
    target.secure = scheme.secure;
    const std::string_view rest = text.substr(scheme.prefix.size());
    const auto taken = scheme.socket ? take_socket(rest, target) : take_authority(rest, target);
    if (!taken) return std::unexpected(taken.error());
    return target;
  }
  return refuse("not a ws://, wss://, http://, https:// or unix: URL", text);
}

std::expected<void, std::string> resolve(Target& target) {
  if (target.socket_path.empty()) {
    const auto address = tools::resolve(target.host_port);
    if (!address) return std::unexpected(address.error());
    target.address = *address;
    return {};
  }
  sockaddr_un socket{};
  socket.sun_family = AF_UNIX;
  std::memcpy(socket.sun_path, target.socket_path.c_str(), target.socket_path.size() + 1);
  std::memcpy(&target.address.storage, &socket, sizeof socket);
  target.address.size = sizeof socket;
  return {};
}

}  // namespace load
