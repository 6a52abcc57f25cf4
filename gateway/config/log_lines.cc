#include "gateway/config/log_lines.hh"

#include <fmt/format.h>

#include <iterator>

#include "gateway/config/toml_text.hh"
#include "gateway/config/units.hh"

namespace gateway::config {

std::string log_lines(const LogSettings& log) {
  const LogTargets& targets = log.targets;
  std::string text = "\n[log]\n";
  const auto add = [&](std::string_view key, std::string_view value) {
    fmt::format_to(std::back_inserter(text), "{} = {}\n", key, value);
  };
  const auto or_off = [](std::string_view value) { return quote(value.empty() ? "off" : value); };
  add("file", quote(targets.file));
  add("access_file", or_off(targets.access_file));
  add("format", quote(kLogFormatNames[static_cast<size_t>(targets.format)]));
  add("fields", list(targets.fields, quote));
  add("headers", list(log.headers, [](const LoggedHeader& one) { return quote(one.name); }));
  add("syslog_facility", quote(kSyslogFacilityNames[targets.syslog_facility]));
  add("syslog_socket", quote(targets.syslog_socket));
  add("journald_socket", quote(targets.journald_socket));
  add("tls_keys", or_off(log.tls_keys));
  add("level", quote(name_of(log.level)));
  add("buffer", quote(print_size(log.buffer_bytes)));
  add("websocket_open", log.websocket_open ? "true" : "false");
  add("websocket_every", toml_duration_or_off(log.websocket_every));
  add("redact", list(log.redact, quote));
  return text;
}

std::string marking_lines(const Marking& marking, const Marking* others) {
  std::string text;
  const auto add = [&](std::string_view key, std::string_view value) {
    text += fmt::format("{} = {}\n", key, quote(value));
  };
  if (others == nullptr || others->request_id != marking.request_id)
    add("request_id", kRequestIdNames[static_cast<size_t>(marking.request_id)]);
  if (others == nullptr || others->trace != marking.trace)
    add("trace", kTraceNames[static_cast<size_t>(marking.trace)]);
  return text;
}

}  // namespace gateway::config
