#include "gateway/config/reader.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "gateway/config/file.hh"
#include "gateway/config/list_files.hh"
#include "gateway/config/names.hh"
#include "gateway/config/pem.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/table_reader.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

constexpr unsigned kShardsMax = 256;
constexpr size_t kSecretBytesMin = 16;

constexpr std::array<std::string_view, 2> kOnOff = {"on", "off"};

void read_account(TableReader& file, Config& config) {
  const auto user = file.text("user");
  const auto group = file.text("group");
  if (!user) {
    if (group) file.report().add(group->place, "'group' goes with 'user': name that, too");
    return;
  }
  auto found = find_account(user->value, group ? std::optional(group->value) : std::nullopt);
  if (!found)
    return file.report().add(found.error().of_group ? group->place : user->place,
                             found.error().text);
  config.account = *std::move(found);
  config.account_place = user->place;
}

void read_via(TableReader& file, std::string& via) {
  const auto text = file.text("via");
  if (!text) return;
  if (!http::is_token(text->value))
    file.report().add(text->place,
                      fmt::format("'{}' must be a name without blanks, such as \"gateway\", or "
                                  "\"off\"",
                                  text->value));
  via = text->value == "off" ? "" : text->value;
}

void read_zone(TableReader& file, std::string& zone) {
  const auto text = file.text("zone");
  if (!text) return;
  if (!is_name(text->value))
    file.report().add(text->place,
                      fmt::format("'{}' must be a name of letters, digits and -_.", text->value));
  zone = text->value;
}

void read_secret(TableReader& file, std::string& secret) {
  const auto text = file.text("secret");
  if (!text) return;
  // The value itself is told to nobody.
  if (text->value.size() < kSecretBytesMin)
    file.report().add(text->place, fmt::format("'secret' must have {} bytes at least, such as "
                                               "'openssl rand -hex 32' makes",
                                               kSecretBytesMin));
  secret = text->value;
}

// Those of [log], and those that bring tokens.
std::vector<std::string> redacted_by(const Config& config) {
  std::vector<std::string> names = config.log.redact;
  for (const Route& route : config.routes) {
    if (!route.auth.jwt) continue;
    for (const TokenSource& source : route.auth.jwt->from) {
      const bool is_known = std::ranges::find(names, source.name) != names.end();
      if (source.kind == TokenSource::Kind::query && !is_known) names.push_back(source.name);
    }
  }
  return names;
}

void read_control(TableReader& table, const std::filesystem::path& folder,
                  ControlSettings& control) {
  if (const auto state = table.text("state"); state && state->value != "off")
    control.state = path_from(folder, state->value).string();
  const auto socket = table.text("socket");
  if (!socket || socket->value == "off") return;
  const std::string path = path_from(folder, socket->value).string();
  if (const auto usable = unix_address(path); !usable) {
    table.report().add(socket->place, fmt::format("'{}' {}", socket->value, usable.error()));
    return;
  }
  control.socket = path;
}

void read_all(TableReader& file, const std::filesystem::path& folder, const Resolve& resolve,
              FilesRead* files, Config& config) {
  file.count_or_auto("shards", kShardsMax, config.shards);
  read_account(file, config);
  if (const auto filter = file.choice("seccomp", kOnOff))
    config.filters_system_calls = *filter == 0;
  if (const auto pid_file = file.text("pid_file"))
    config.pid_file = path_from(folder, pid_file->value).string();
  read_zone(file, config.zone);
  read_secret(file, config.secret);
  // What follows opens files.
  const ActingAs acting(config.account);
  read_peers(file, "trusted_proxies", true, config.trusted_proxies);
  read_via(file, config.via);
  PemFiles pems(files);
  ListFiles lists(files);
  read_listeners(file, folder, pems, lists, config);
  read_resolver(file, config.resolver);
  read_pools(file, folder, resolve, pems, config);
  const Surroundings around{folder, resolve, pems, lists, config.resolver};
  read_bounds(file, around, config);
  read_routes(file, around, config);
  read_drain(file, config.drain);
  read_reload(file, config.reload);
  read_upgrade(file, config.upgrade);
  file.inner("log", [&](TableReader& table) { read_log(table, folder, config.log); });
  config.log.redacted = redacted_by(config);
  file.inner("control", [&](TableReader& table) { read_control(table, folder, config.control); });
  file.inner("admin", [&](TableReader& table) { read_admin(table, folder, pems, config); });
  file.inner("tracing", [&](TableReader& table) { read_tracing(table, around, config); });
}

bool is_empty(const toml::table& file, std::string_view key) {
  const toml::node* const node = file.get(key);
  if (node == nullptr) return true;
  if (const auto* const list = node->as_array()) return list->empty();
  return node->is_table() && node->as_table()->empty();
}

// Whether each [[KEY]] has one of the keys; so if there is none.
bool each_has(const toml::table& file, std::string_view key,
              std::initializer_list<std::string_view> any_of) {
  const toml::array* const list = file[key].as_array();
  if (list == nullptr) return !file.contains(key);
  return std::all_of(list->begin(), list->end(), [&](const toml::node& node) {
    const toml::table* const table = node.as_table();
    const auto has = [&](std::string_view one) { return table->contains(one); };
    return table != nullptr && std::any_of(any_of.begin(), any_of.end(), has);
  });
}

// What is missing as a whole; a table that is there with errors in it is not missing.
void check_complete(const toml::table& file, Report& report) {
  const bool listens = !is_empty(file, "listen");
  const bool routes = !is_empty(file, "route");
  const bool only_redirects = listens && each_has(file, "listen", {"redirect"});
  const bool needs_pool =
      routes ? !each_has(file, "route", {"answer", "redirect"}) : !only_redirects;
  if (!listens)
    report.add({}, "nothing to listen on: add [[listen]] with address = \"127.0.0.1:8080\"");
  if (needs_pool && is_empty(file, "pool"))
    report.add({},
               "no servers to pass requests to: add [pool.app] with servers = "
               "[\"127.0.0.1:9001\"]");
  if (!routes && !only_redirects)
    report.add({}, "no route: add [[route]] with path = \"/\" and pool = \"app\"");
}

// A reload reads it as whom the process has become.
void check_rereadable(const std::filesystem::path& file, Config& config) {
  const ActingAs acting(config.account);
  if (faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) == 0) return;
  const Error warning{config.file,
                      {},
                      fmt::format("{} cannot read this file, so it could not be reloaded: {}",
                                  who_opens_files(), strerrordesc_np(errno))};
  config.warnings.push_back(warning.text("warning"));
}

std::unexpected<Errors> failed(const std::filesystem::path& file, Place place,
                               std::string message) {
  return std::unexpected(Errors{{file.string(), place, std::move(message)}});
}

// Without the parser's "Error while parsing THING: ".
std::string syntax_error(std::string_view description) {
  const size_t colon = description.find(": ");
  if (description.starts_with("Error while parsing ") && colon != description.npos)
    description.remove_prefix(colon + 2);
  return fmt::format("syntax: {}", description);
}

// `file` is what errors call it; relative paths are taken from the folder, the working one if
// empty.
std::expected<Config, Errors> read_in(std::string_view toml, const std::filesystem::path& file,
                                      const std::filesystem::path& folder, const Resolve& resolve,
                                      FilesRead* files = nullptr) {
  toml::table root;
  try {
    root = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    return failed(file, place_of(error.source()), syntax_error(error.description()));
  }
  Config config;
  config.file = file.string();
  Report report(config.file);
  {
    TableReader reader(root, "", report);
    read_all(reader, folder, resolve, files, config);
  }
  check_complete(root, report);
  if (report.count() > 0) return std::unexpected(report.take());
  config.warnings = report.take_warnings();
  return config;
}

}  // namespace

std::string Error::text(std::string_view kind) const {
  if (place.line == 0) return fmt::format("{}: {}: {}", file, kind, message);
  return fmt::format("{}:{}:{}: {}: {}", file, place.line, place.column, kind, message);
}

std::filesystem::path path_from(const std::filesystem::path& folder, std::string_view path) {
  // The working folder may be gone.
  std::error_code failure;
  const std::filesystem::path whole = std::filesystem::absolute(folder / path, failure);
  return (failure ? folder / path : whole).lexically_normal();
}

std::expected<Config, Errors> read_file(const std::filesystem::path& file, const Resolve& resolve,
                                        FilesRead* files) {
  FileState state;
  const auto text =
      read_small_file(file.string(),
                      {.if_absent = "there is no such file; name the configuration with -c FILE",
                       .cure = "name the configuration file with -c FILE"},
                      kFilePatience, &state);
  std::error_code failure;
  if (files != nullptr)
    files->insert_or_assign(std::filesystem::absolute(file, failure).string(), state);
  if (!text) return failed(file, {}, text.error());
  // What came through a pipe has no folder of its own.
  const bool has_folder = std::filesystem::is_regular_file(file, failure);
  auto config = read_in(*text, file, has_folder ? file.parent_path() : "", resolve, files);
  if (config && has_folder) check_rereadable(file, *config);
  return config;
}

std::expected<Config, Errors> read_text(std::string_view toml, const std::filesystem::path& file,
                                        const Resolve& resolve) {
  return read_in(toml, file, file.parent_path(), resolve);
}

std::expected<std::string, Error> read_control_socket(const std::filesystem::path& file) {
  const auto text = read_small_file(
      file.string(), {.if_absent = "there is no such file; name the configuration with -c FILE",
                      .cure = "name the configuration file with -c FILE"});
  if (!text) return std::unexpected(Error{file.string(), {}, text.error()});
  try {
    const toml::table root = toml::parse(*text);
    const auto socket = root["control"]["socket"].value<std::string>();
    if (socket && !socket->empty() && *socket != "off")
      return path_from(file.parent_path(), *socket).string();
  } catch (const toml::parse_error& error) {
    return std::unexpected(
        Error{file.string(), place_of(error.source()), syntax_error(error.description())});
  }
  return std::unexpected(
      Error{file.string(),
            {},
            "it names no control socket: add [control] with socket = \"PATH\", or "
            "name it with --control PATH"});
}

std::expected<void, Error> check_account(const Config& config) {
  if (!config.account) return {};
  const auto can = can_become(*config.account);
  if (!can) return std::unexpected(Error{config.file, config.account_place, can.error()});
  return {};
}

unsigned shard_count(const Config& config) {
  if (config.shards > 0) return config.shards;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return std::clamp(static_cast<unsigned>(CPU_COUNT(&cores)), 1u, kShardsMax);
}

}  // namespace gateway::config
