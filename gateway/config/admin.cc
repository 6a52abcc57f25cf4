// [admin]: where those who run the gateway ask, and who may.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/config/network.hh"
#include "gateway/config/pem.hh"
#include "gateway/config/sections.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

constexpr std::size_t kTokenBytesMin = 16;
constexpr std::size_t kTokenBytesMax = 256;
constexpr std::size_t kHostsMax = 64;
constexpr std::size_t kHostBytesMax = 253;
constexpr std::string_view kTokenCure =
    "make one with 'openssl rand -hex 32', in a file that nobody else can read";

// Such as an Authorization field and a subprotocol can have (RFC 6750, RFC 9110 section 5.6.2).
bool is_token_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return http::is_alpha(c) || http::is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
  });
}

void read_token(TableReader& table, const std::filesystem::path& folder, PemFiles& pems,
                AdminSettings& admin) {
  const auto file = table.text("token_file");
  if (!file) return;
  admin.token_path = path_from(folder, file->value).string();
  const auto fault = [&](std::string_view what) {
    table.report().add(file->place, fmt::format("token file '{}' {}", admin.token_path, what));
  };
  auto text = pems.read(admin.token_path, kFromFolderOfFile, "name a file with a token in it");
  if (!text) return fault(text.error());
  admin.token = http::trim(text->substr(0, text->find_first_of("\r\n")));
  const std::size_t bytes = admin.token.size();
  // The token itself is told to nobody.
  if (bytes < kTokenBytesMin || bytes > kTokenBytesMax || !is_token_text(admin.token))
    fault(fmt::format("must have {} to {} letters, digits and -._~ in its first line: {}",
                      kTokenBytesMin, kTokenBytesMax, kTokenCure));
}

bool is_host_name(std::string_view name) {
  return name.size() <= kHostBytesMax && std::ranges::all_of(name, [](char c) {
           return http::is_alpha(c) || http::is_digit(c) || c == '-' || c == '.';
         });
}

void read_hosts(TableReader& table, AdminSettings& admin) {
  for (Text& host : table.texts("hosts", "[\"gateway.internal\"]", true)) {
    std::ranges::transform(host.value, host.value.begin(), http::to_lower);
    if (!is_host_name(host.value))
      table.report().add(host.place, fmt::format("'{}' must be a name without a port, such as "
                                                 "\"gateway.internal\"",
                                                 host.value));
    admin.hosts.push_back(std::move(host.value));
  }
  if (admin.hosts.size() > kHostsMax)
    table.report().add(table.place("hosts"), fmt::format("'hosts' may have {} names, not {}",
                                                         kHostsMax, admin.hosts.size()));
}

// Whom it lets in has to be known where others can reach it.
void check_exposure(const TableReader& table, const Text& address, const AdminSettings& admin) {
  if (admin.is_local()) return;
  if (admin.token_path.empty() && !admin.asks_for_certificates())
    return table.report().add(
        address.place,
        fmt::format("'{}' can be reached from other machines: add token_file = \"admin.token\" "
                    "({}), or client_ca = \"ca.pem\" with 'certificates', or listen on "
                    "\"127.0.0.1:9090\"",
                    address.value, kTokenCure));
  if (!admin.tls)
    table.report().warn(address.place,
                        fmt::format("'{}' can be reached from other machines, and the token "
                                    "crosses the network in plain text: add 'certificates'",
                                    address.value));
}

void check_collisions(const TableReader& table, Place place, const Config& config) {
  for (const Listener& listener : config.listeners) {
    if (!collide(*config.admin.address, listener.address)) continue;
    table.report().add(
        place, collision(*config.admin.address, listener.address,
                         fmt::format("in line {} listens there already", listener.place.line)));
    return;
  }
}

}  // namespace

bool AdminSettings::is_local() const {
  constexpr Octets kLoopback6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr std::uint8_t kLoopback4 = 127;
  if (!address || address->is_unix()) return true;
  const Octets octets = *octets_of(*address);
  return is_mapped(octets) ? octets[12] == kLoopback4 : octets == kLoopback6;
}

void read_admin(TableReader& table, const std::filesystem::path& folder, PemFiles& pems,
                Config& config) {
  AdminSettings& admin = config.admin;
  const auto text = table.text("address");
  const bool is_off = !text || text->value == "off";
  if (!is_off) {
    auto address = listening_address(text->value, folder);
    if (address) admin.address = *std::move(address);
    if (!address) table.report().add(text->place, address.error());
  }
  admin.tls = read_listener_tls(table, folder, pems);
  if (admin.tls && !admin.tls->policies.empty())
    table.report().add(table.place("names"),
                       "[[admin.names]] is not: what is asked of clients "
                       "here holds for all names");
  // Who has shown one is as good as who has the token: so it is to be told.
  if (admin.tls && admin.tls->clients) admin.tls->clients->check.tells = true;
  admin.unix_file = read_unix_file(table, !admin.address || admin.address->is_unix());
  read_token(table, folder, pems, admin);
  read_hosts(table, admin);
  table.boolean("capture_payload", admin.capture_payload);
  if (!admin.address) return;
  check_exposure(table, *text, admin);
  check_collisions(table, text->place, config);
}

}  // namespace gateway::config
