#include "gateway/config/reader.hh"

#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "gateway/config/fields.hh"
#include "gateway/config/sections.hh"

namespace gateway::config {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;
constexpr unsigned kShardsMax = 256;
constexpr size_t kLogBufferBytesMin = 16 << 10;
constexpr size_t kLogBufferBytesMax = 64 << 20;

void read_timeouts(Fields& fields, Timeouts& timeouts) {
  fields.duration("tls_handshake", timeouts.tls_handshake);
  fields.duration("request_header", timeouts.request_header);
  fields.duration("connect", timeouts.connect);
  fields.duration("upstream_response", timeouts.upstream_response);
  fields.duration_or_off("websocket_idle", timeouts.websocket_idle);
}

void read_log(Fields& fields, const std::filesystem::path& folder, LogSettings& log) {
  if (const auto file = fields.text("file"); file && file->value != "stderr") {
    const std::filesystem::path path = path_from(folder, file->value);
    log.file = path.string();
    std::error_code failure;
    if (!std::filesystem::is_directory(path.parent_path(), failure))
      fields.report().add(file->place, fmt::format("there is no folder '{}' for the log file",
                                                   path.parent_path().string()));
    if (std::filesystem::is_directory(path, failure))
      fields.report().add(file->place, fmt::format("'{}' is a folder, not a log file", log.file));
  }
  if (const auto level = fields.choice("level", kLogLevelNames))
    log.level = static_cast<LogLevel>(*level);
  fields.size("buffer", kLogBufferBytesMin, kLogBufferBytesMax, log.buffer_bytes);
}

void read_all(Fields& file, const std::filesystem::path& folder, const Resolve& resolve,
              Config& config) {
  file.count_or_auto("shards", kShardsMax, config.shards);
  read_listeners(file, folder, config);
  read_pools(file, resolve, config);
  read_routes(file, config);
  file.table("timeouts", [&](Fields& fields) { read_timeouts(fields, config.timeouts); });
  file.table("log", [&](Fields& fields) { read_log(fields, folder, config.log); });
}

// What is missing as a whole; a table that is there with errors in it is not missing.
void check_complete(const toml::table& file, Report& report) {
  if (!file.contains("listen"))
    report.add({}, "nothing to listen on: add [[listen]] with address = \"127.0.0.1:8080\"");
  if (!file.contains("pool"))
    report.add({},
               "no servers to pass requests to: add [pool.app] with servers = "
               "[\"127.0.0.1:9001\"]");
  if (!file.contains("route"))
    report.add({}, "no route: add [[route]] with path = \"/\" and pool = \"app\"");
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

}  // namespace

std::string Error::text() const {
  if (place.line == 0) return fmt::format("{}: error: {}", file, message);
  return fmt::format("{}:{}:{}: error: {}", file, place.line, place.column, message);
}

std::filesystem::path path_from(const std::filesystem::path& folder, std::string_view path) {
  return std::filesystem::absolute(folder / path).lexically_normal();
}

std::expected<Config, Errors> read_file(const std::filesystem::path& file, const Resolve& resolve) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) {
    if (errno == ENOENT)
      return failed(file, {}, "there is no such file; name the configuration with -c FILE");
    return failed(file, {}, fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  if (S_ISDIR(status.st_mode))
    return failed(file, {}, "is a folder; name the configuration file with -c FILE");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return failed(file, {}, fmt::format("cannot be read: {}", std::strerror(errno)));
  std::string text(kFileBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return failed(file, {}, "cannot be read");
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() > kFileBytesMax) return failed(file, {}, "is larger than 1MiB");
  return read_text(text, file, resolve);
}

std::expected<Config, Errors> read_text(std::string_view toml, const std::filesystem::path& file,
                                        const Resolve& resolve) {
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
    Fields fields(root, "", report);
    read_all(fields, file.parent_path(), resolve, config);
  }
  check_complete(root, report);
  if (report.count() > 0) return std::unexpected(report.take());
  return config;
}

unsigned shard_count(const Config& config) {
  if (config.shards > 0) return config.shards;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return std::clamp(static_cast<unsigned>(CPU_COUNT(&cores)), 1u, kShardsMax);
}

}  // namespace gateway::config
