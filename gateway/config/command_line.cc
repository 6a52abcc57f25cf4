#include "gateway/config/command_line.hh"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "gateway/config/pem.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/server_entry.hh"
#include "proto/tls/self_signed.hh"

namespace gateway::config {
namespace {

constexpr std::string_view kFromWorkingFolder = "; its path is taken from the working folder";

enum class Scheme { none, http, https, unix };

// SCHEME://AUTHORITY, with or without a slash behind it; `rest` is what follows the scheme.
struct Url {
  Scheme scheme;
  std::string rest;
};

Url split_url(std::string_view text) {
  Url url{Scheme::none, std::string(text)};
  if (text.starts_with("http+unix:")) text.remove_prefix(5);
  if (text.starts_with(kUnixScheme)) return {Scheme::unix, std::string(text)};
  if (text.starts_with("http://")) url = {Scheme::http, std::string(text.substr(7))};
  if (text.starts_with("https://")) url = {Scheme::https, std::string(text.substr(8))};
  if (url.scheme != Scheme::none && url.rest.ends_with('/')) url.rest.pop_back();
  // What follows a colon behind the host is its port; an IPv6 address ends with a bracket.
  const bool has_port = url.rest.find(':', url.rest.rfind(']') + 1) != url.rest.npos;
  if (!url.rest.empty() && !has_port && url.scheme == Scheme::http) url.rest += ":80";
  if (!url.rest.empty() && !has_port && url.scheme == Scheme::https) url.rest += ":443";
  return url;
}

// IPv6 may be switched off in the kernel.
std::string_view all_addresses() {
  const int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return "0.0.0.0";
  close(descriptor);
  return "[::]";
}

class CommandLineReader {
 public:
  CommandLineReader(const CommandLine& line, const Resolve& resolve, FilesRead* files)
      : line_(line), resolve_(resolve), pems_(files) {
    config_.file = "the command line";
  }

  std::expected<Config, Errors> read() {
    for (const std::string& text : line_.from) add_listener(text);
    add_certificates();
    add_pool();
    Route route;
    route.name = "route-1";
    config_.routes.push_back(route);
    config_.router.add(0, route);
    if (!errors_.empty()) return std::unexpected(std::move(errors_));
    return std::move(config_);
  }

 private:
  void complain(std::string_view option, std::string message) {
    errors_.push_back({std::string(option), {}, std::move(message)});
  }
  void warn(std::string_view option, std::string message) {
    config_.warnings.push_back(Error{std::string(option), {}, std::move(message)}.text("warning"));
  }

  void add_listener(const std::string& text) {
    Url url = split_url(text);
    if (url.scheme == Scheme::none)
      return complain("--from", fmt::format("'{}' must begin with http:// or https://, such as "
                                            "http://:8080, or be unix:PATH",
                                            text));
    if (has_path(url)) return complain("--from", fmt::format(kPathFault, text));
    if (url.rest.starts_with(':')) url.rest.insert(0, all_addresses());
    const auto address = listening_address(url.rest, "");
    if (!address) return complain("--from", address.error());
    for (const Listener& other : config_.listeners) {
      if (collide(*address, other.address))
        return complain("--from", collision(*address, other.address, "is given already"));
    }
    Listener listener;
    listener.address = *address;
    if (url.scheme == Scheme::https) listener.tls.emplace();
    config_.listeners.push_back(std::move(listener));
  }

  // All listeners with TLS serve the same one.
  void add_certificates() {
    const auto secure = [](const std::string& text) {
      return split_url(text).scheme == Scheme::https;
    };
    const bool used = std::any_of(line_.from.begin(), line_.from.end(), secure);
    Tls tls;
    if (!line_.chain_path.empty()) {
      if (!used) complain("--cert", "is for https: add --from https://:8443");
      load(tls);
    } else if (!line_.key_path.empty()) {
      complain("--key", "needs --cert, the file of the certificate that the key is of");
    } else if (used) {
      make_self_signed(tls);
    }
    for (Listener& listener : config_.listeners) {
      if (listener.tls) listener.tls = tls;
    }
  }

  void load(Tls& tls) {
    const std::string& key = line_.key_path.empty() ? line_.chain_path : line_.key_path;
    const Certificate certificate{
        path_from("", line_.chain_path).string(), path_from("", key).string(), {}};
    LoadedCertificate loaded =
        load_certificate(pems_, certificate, kFromWorkingFolder, "name its file with --key");
    for (const PemRemark& fault : loaded.faults)
      complain(fault.of_key && !line_.key_path.empty() ? "--key" : "--cert", fault.message);
    for (const std::string& warning : loaded.warnings) warn("--cert", warning);
    tls.certificates.push_back(certificate);
    tls.pems.push_back(std::move(loaded.pem));
  }

  void make_self_signed(Tls& tls) {
    auto made = tls::make_self_signed();
    if (!made) return complain("--from", made.error());
    tls.self_signed = true;
    tls.pems.push_back(*std::move(made));
    warn("--from",
         "a self-signed certificate for localhost is for development only, and browsers will warn; "
         "for real use name one with --cert");
  }

  void add_pool() {
    Pool pool;
    pool.name = "app";
    size_t secure = 0;
    for (const std::string& text : line_.to) {
      const Url url = split_url(text);
      secure += url.scheme == Scheme::https;
      if (url.scheme == Scheme::none && url.rest.find("://") != url.rest.npos) {
        complain("--to",
                 fmt::format("'{}' must be HOST:PORT, or begin with http:// or https://, or "
                             "be unix:PATH",
                             text));
      } else if (has_path(url)) {
        complain("--to", fmt::format(kPathFault, text));
      } else {
        add_server(url.rest, text, pool);
      }
    }
    pool.servers = servers_of(pool.entries);
    if (secure > 0) pool.tls = tls_to_servers(secure);
    config_.pools.push_back(std::move(pool));
  }

  void add_server(const std::string& rest, const std::string& text, Pool& pool) {
    auto entry = entry_from(rest, "");
    if (!entry) return complain("--to", entry.error());
    for (const ServerEntry& other : pool.entries) {
      if (other.server.text == entry->server.text)
        return complain("--to", fmt::format("'{}' is given twice", text));
    }
    if (const auto resolved = resolve_entry(*entry, resolve_, config_.resolver); !resolved)
      return complain("--to", resolved.error());
    pool.entries.push_back(*std::move(entry));
  }

  PoolTls tls_to_servers(size_t secure) {
    PoolTls tls;
    if (secure < line_.to.size())
      complain("--to",
               "either all servers are https:// or none: a configuration file may have a "
               "pool of each kind");
    if (const auto loaded = load_system_ca(pems_, tls); !loaded) complain("--to", loaded.error());
    return tls;
  }

  static bool has_path(const Url& url) {
    return url.scheme != Scheme::unix && url.rest.find_first_of("/?#") != url.rest.npos;
  }

  static constexpr std::string_view kPathFault =
      "'{}' must end behind its port: routes by path need a configuration file";

  const CommandLine& line_;
  const Resolve& resolve_;
  PemFiles pems_;
  Config config_;
  Errors errors_;
};

}  // namespace

std::expected<Config, Errors> from_command_line(const CommandLine& line, const Resolve& resolve,
                                                FilesRead* files) {
  return CommandLineReader(line, resolve, files).read();
}

}  // namespace gateway::config
