// [log]: where lines go, in which form, and what they say.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/names.hh"
#include "gateway/config/reader.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/suggest.hh"
#include "gateway/log/access_fields.hh"
#include "gateway/log/key_file.hh"
#include "gateway/log/render.hh"
#include "gateway/log/sink.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

constexpr size_t kLogBufferBytesMin = 16 << 10;
constexpr size_t kLogBufferBytesMax = 64 << 20;
constexpr std::chrono::seconds kWebSocketEveryMin{1};
constexpr std::chrono::hours kWebSocketEveryMax{24};
constexpr size_t kRedactedMax = 32;  // each request's query is looked through for all
constexpr size_t kHeadersMax = 8;    // each request's head, likewise
// What these say lets somebody in.
constexpr std::array<std::string_view, 6> kSecretHeaders = {
    "Authorization",     "Proxy-Authorization",    "Cookie",
    "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "X-Api-Key"};
// The journal takes no longer name than 64 bytes: "GATEWAY_HEADER_" stands before this one.
constexpr size_t kHeaderBytesMax = 49;

void read_tls_keys(TableReader& table, const std::filesystem::path& folder, LogSettings& log) {
  const auto file = table.text("tls_keys");
  if (!file || file->value == "off") return;
  log.tls_keys = path_from(folder, file->value).string();
  const auto usable = check_key_file(log.tls_keys);
  if (!usable) table.report().add(file->place, usable.error());
  for (const auto& [key, path] :
       {std::pair("file", &log.targets.file), std::pair("access_file", &log.targets.access_file)}) {
    if (usable && log.tls_keys == *path)
      table.report().add(file->place,
                         fmt::format("'tls_keys' must be another file than '{}'", key));
  }
  table.report().warn(file->place, told_of_tls_keys(log.tls_keys));
}

// Of the sockets' own keys, which stand before.
void read_target(TableReader& table, std::string_view key, const std::filesystem::path& folder,
                 const LogTargets& targets, std::string& target) {
  const auto text = table.text(key);
  if (!text || (key != "file" && text->value == "off")) return;
  target = is_log_path(text->value) ? path_from(folder, text->value).string() : text->value;
  if (const auto usable = check_log_target(target, targets); !usable)
    table.report().add(text->place, usable.error());
}

void read_socket(TableReader& table, std::string_view key, const std::filesystem::path& folder,
                 std::string& socket) {
  const auto text = table.text(key);
  if (!text) return;
  const std::string path = path_from(folder, text->value).string();
  if (const auto usable = unix_address(path); !usable) {
    table.report().add(text->place, fmt::format("'{}' {}", text->value, usable.error()));
    return;
  }
  socket = path;
}

void read_fields(TableReader& table, std::vector<std::string>& fields) {
  for (Text& name : table.texts("fields", "[\"client\", \"request\", \"status\"]", true)) {
    if (std::ranges::find(kAccessFields, name.value) == kAccessFields.end()) {
      const std::string suggestion = did_you_mean(name.value, kAccessFields);
      table.report().add(
          name.place,
          fmt::format("no line of a request or a WebSocket has a field '{}'{}", name.value,
                      suggestion.empty() ? "; there is, among others, \"request\", \"status\" and "
                                           "\"ms\""
                                         : suggestion));
    }
    if (std::ranges::find(fields, name.value) != fields.end())
      table.report().add(name.place, fmt::format("'{}' is given twice", name.value));
    fields.push_back(std::move(name.value));
  }
}

std::string field_of(std::string_view header) {
  std::string field(kHeaderField);
  for (const char c : header) {
    field += http::is_digit(c) || http::is_alpha(c) ? http::to_lower(c) : '_';
  }
  return field;
}

std::string header_fault_for_log(std::string_view name) {
  if (!http::is_token(name)) return "must be the name of a header of requests";
  if (name.size() > kHeaderBytesMax)
    return fmt::format("has {} bytes: {} is the most, since the journal takes no longer field",
                       name.size(), kHeaderBytesMax);
  const auto is_it = [&](std::string_view one) { return is_same_variable(one, name); };
  if (std::ranges::any_of(kSecretHeaders, is_it)) return "is a secret, which belongs in no log";
  return {};
}

void read_headers(TableReader& table, std::vector<LoggedHeader>& headers) {
  for (Text& name : table.texts("headers", "[\"User-Agent\", \"Referer\"]", true)) {
    std::string fault = header_fault_for_log(name.value);
    const std::string field = field_of(name.value);
    const auto is_it = [&](const LoggedHeader& one) { return one.field == field; };
    if (fault.empty() && std::ranges::any_of(headers, is_it)) fault = "is given twice";
    if (!fault.empty()) table.report().add(name.place, fmt::format("'{}' {}", name.value, fault));
    headers.push_back({std::move(name.value), field});
  }
  if (headers.size() > kHeadersMax)
    table.report().add(table.place("headers"), fmt::format("'headers' may have {} names, not {}",
                                                           kHeadersMax, headers.size()));
}

void read_redact(TableReader& table, std::vector<std::string>& redact) {
  if (!table.has("redact")) return;
  redact.clear();
  for (Text& name : table.texts("redact", "[\"access_token\", \"key\"]", true)) {
    if (!is_query_name(name.value))
      table.report().add(name.place, fmt::format("'{}' must be the name of a query parameter, such "
                                                 "as \"access_token\"",
                                                 name.value));
    redact.push_back(std::move(name.value));
  }
  if (redact.size() > kRedactedMax)
    table.report().add(table.place("redact"), fmt::format("'redact' may have {} names, not {}",
                                                          kRedactedMax, redact.size()));
}

void read_targets(TableReader& table, const std::filesystem::path& folder, LogTargets& targets) {
  read_socket(table, "syslog_socket", folder, targets.syslog_socket);
  read_socket(table, "journald_socket", folder, targets.journald_socket);
  if (const auto facility = table.choice("syslog_facility", kSyslogFacilityNames))
    targets.syslog_facility = *facility;
  if (const auto format = table.choice("format", kLogFormatNames))
    targets.format = static_cast<LogFormat>(*format);
  read_target(table, "file", folder, targets, targets.file);
  read_target(table, "access_file", folder, targets, targets.access_file);
  if (targets.has_apart() && targets.access_file == targets.file)
    table.report().add(table.place("access_file"),
                       "'access_file' is where 'file' leads already: leave it out");
  read_fields(table, targets.fields);
}

}  // namespace

std::vector<std::string> redacted_usually() {
  return {"access_token",  "api_key",  "apikey", "auth",      "client_secret",
          "code",          "id_token", "jwt",    "key",       "password",
          "refresh_token", "secret",   "sig",    "signature", "token"};
}

void read_log(TableReader& table, const std::filesystem::path& folder, LogSettings& log) {
  read_targets(table, folder, log.targets);
  read_tls_keys(table, folder, log);
  if (const auto level = table.choice("level", kLogLevelNames))
    log.level = static_cast<LogLevel>(*level);
  table.size("buffer", kLogBufferBytesMin, kLogBufferBytesMax, log.buffer_bytes);
  table.boolean("websocket_open", log.websocket_open);
  table.duration_or_off("websocket_every", kWebSocketEveryMin, kWebSocketEveryMax,
                        log.websocket_every);
  read_headers(table, log.headers);
  read_redact(table, log.redact);
}

}  // namespace gateway::config
