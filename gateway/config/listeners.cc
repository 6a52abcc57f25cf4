// [[listen]]: addresses, and what becomes of the file of a Unix socket.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "gateway/config/network.hh"
#include "gateway/config/sections.hh"

namespace gateway::config {
namespace {

constexpr std::uint16_t kHttpsPort = 443;

void read_owner(const Text& text, Report& report, UnixFile& file) {
  const size_t colon = text.value.find(':');
  const std::string user = text.value.substr(0, colon);
  if (!user.empty()) {
    file.owner = user_id(user);
    if (!file.owner) report.add(text.place, fmt::format("there is no user '{}'", user));
  }
  if (colon == std::string::npos) return;
  const std::string group = text.value.substr(colon + 1);
  file.group = group_id(group);
  if (!file.group) report.add(text.place, fmt::format("there is no group '{}'", group));
}

}  // namespace

UnixFile read_unix_file(TableReader& listen, bool is_unix) {
  UnixFile file;
  const auto mode = listen.text("mode");
  const auto owner = listen.text("owner");
  for (const std::string_view key : {"mode", "owner"}) {
    if (!is_unix && listen.has(key))
      listen.report().add(
          listen.place(key),
          fmt::format("'{}' is for Unix sockets, such as address = \"unix:/run/gateway.sock\"",
                      key));
  }
  if (!is_unix) return file;
  if (mode) {
    const char* const end = mode->value.data() + mode->value.size();
    unsigned bits = 0;
    const auto [stop, error] = std::from_chars(mode->value.data(), end, bits, 8);
    if (error != std::errc() || stop != end || bits > 0777) {
      listen.report().add(
          mode->place, fmt::format("'mode' must be permission bits in octal, such as \"0660\", not "
                                   "'{}'",
                                   mode->value));
    }
    file.mode = bits;
  }
  if (owner) read_owner(*owner, listen.report(), file);
  return file;
}

namespace {

// "https", whose port is found when all listeners are read: 0 until then; or "https:PORT".
std::optional<std::uint16_t> read_redirect(TableReader& listen) {
  const auto text = listen.text("redirect");
  if (!text) return std::nullopt;
  if (listen.has("certificates"))
    listen.report().add(text->place,
                        "a listener that redirects to https has no certificates of its own: leave "
                        "'redirect' or 'certificates' out");
  if (text->value == "https") return std::uint16_t{0};
  const auto where = split_host_port(text->value);
  if (where && where->host == "https") return where->port;
  listen.report().add(text->place, fmt::format("'redirect' must be \"https\" or \"https:PORT\", "
                                               "not '{}'",
                                               text->value));
  return std::nullopt;
}

std::optional<Address> read_address(TableReader& listen, const std::filesystem::path& folder,
                                    Place& place) {
  const auto text = listen.required_text("address", "\"127.0.0.1:8080\"");
  if (!text) return std::nullopt;
  place = text->place;
  const auto address = listening_address(text->value, folder);
  if (address) return *address;
  listen.report().add(place, address.error());
  return std::nullopt;
}

Access read_listener_access(TableReader& listen, const std::filesystem::path& folder,
                            ListFiles& lists, bool is_unix) {
  for (const std::string_view key : {"allow", "deny"}) {
    if (is_unix && listen.has(key))
      listen.report().add(listen.place(key),
                          fmt::format("'{}' is for addresses, and whoever comes through a Unix "
                                      "socket has none: 'mode' and 'owner' say who may",
                                      key));
  }
  return read_access(listen, folder, lists);
}

void find_redirect_ports(std::vector<Listener>& listeners) {
  const auto secure = std::find_if(
      listeners.begin(), listeners.end(),
      [](const Listener& listener) { return listener.tls && !listener.address.is_unix(); });
  const std::uint16_t port = secure == listeners.end() ? kHttpsPort : secure->address.port();
  for (Listener& listener : listeners) {
    if (listener.redirect_port == 0) listener.redirect_port = port;
  }
}

// Whether who listens on `one` takes what is for `other`, too: [::] takes IPv4 as well, since
// IPV6_V6ONLY stays off.
bool covers(const Address& one, const Address& other) {
  const Octets ours = *octets_of(one);
  const Octets theirs = *octets_of(other);
  if (ours == Octets{}) return true;
  const auto is_zero = [](std::uint8_t octet) { return octet == 0; };
  if (is_mapped(ours) && std::all_of(ours.begin() + 12, ours.end(), is_zero))
    return is_mapped(theirs);
  // The same IPv6 address on two interfaces is two.
  return ours == theirs && (one.family() != other.family() || one == other);
}

// A folder may have two names, as /run and /var/run.
std::filesystem::path true_path(const Address& address) {
  const std::filesystem::path path(address.unix_path());
  std::error_code failure;
  const auto folder = std::filesystem::weakly_canonical(path.parent_path(), failure);
  return failure ? path : folder / path.filename();
}

}  // namespace

std::expected<Address, std::string> listening_address(const std::string& text,
                                                      const std::filesystem::path& folder) {
  if (text.starts_with(kUnixScheme)) {
    const std::string path = text.substr(kUnixScheme.size());
    const auto address = unix_address(path.empty() ? path : path_from(folder, path).string());
    if (!address) return std::unexpected(fmt::format("'{}' {}", text, address.error()));
    return *address;
  }
  const auto where = split_host_port(text);
  if (!where) return std::unexpected(fmt::format("'{}' {}", text, where.error()));
  if (const auto address = literal_address(*where)) return *address;
  return std::unexpected(
      fmt::format("'{}' must begin with an IP address, such as \"0.0.0.0:{}\" or "
                  "\"[::]:{}\" for all of the machine's",
                  text, where->port, where->port));
}

bool collide(const Address& one, const Address& other) {
  if (one.is_unix() || other.is_unix())
    return one.is_unix() && other.is_unix() && true_path(one) == true_path(other);
  return one.port() == other.port() && (covers(one, other) || covers(other, one));
}

std::string collision(const Address& one, const Address& other, std::string_view where) {
  std::string text = fmt::format("'{}' is taken: '{}' {}", one.text(), other.text(), where);
  if (one.is_unix() || covers(one, other) == covers(other, one)) return text;
  const Address& wider = covers(one, other) ? one : other;
  const std::string_view all = wider.family() == AF_INET ? "IPv4 addresses" : "addresses";
  return text +
         fmt::format("; '{}' stands for all {}: leave one of the two out", wider.text(), all);
}

void read_listeners(TableReader& file, const std::filesystem::path& folder, PemFiles& pems,
                    ListFiles& lists, Config& config) {
  file.each("listen", [&](TableReader& listen) {
    Listener listener;
    const auto address = read_address(listen, folder, listener.place);
    listener.tls = read_listener_tls(listen, folder, pems);
    listener.redirect_port = read_redirect(listen);
    listener.unix_file = read_unix_file(listen, !address || address->is_unix());
    read_tcp_options(listen, address && address->is_unix(), listener.tcp);
    listen.count_or_off("connections", kConnectionsMax, listener.connections_max);
    listener.access = read_listener_access(listen, folder, lists, address && address->is_unix());
    read_proxy_headers(listen, listener.proxy_headers);
    if (!address) return;
    listener.address = *address;
    for (const Listener& other : config.listeners) {
      if (!collide(*address, other.address)) continue;
      listen.report().add(listener.place, collision(*address, other.address,
                                                    fmt::format("in line {} listens there already",
                                                                other.place.line)));
      break;
    }
    config.listeners.push_back(std::move(listener));
  });
  find_redirect_ports(config.listeners);
}

}  // namespace gateway::config
