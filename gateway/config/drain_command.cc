#include "gateway/config/drain_command.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "gateway/config/command_text.hh"
#include "gateway/config/units.hh"
#include "proto/ws/close.hh"
#include "proto/ws/utf8.hh"

namespace gateway::config {
namespace {

constexpr std::string_view kDrain = "drain ";
constexpr std::string_view kUndrain = "undrain ";
constexpr std::size_t kTargetBytesMax = 600;

using Fault = std::unexpected<std::string>;

std::expected<void, std::string> take_target(const std::string& target, DrainCommand& command) {
  const std::size_t slash = target.find('/');
  command.pool = target.substr(0, slash);
  if (slash != target.npos) command.server = target.substr(slash + 1);
  const bool is_whole = !command.pool.empty() && (slash == target.npos || !command.server.empty());
  if (!is_whole) {
    return Fault(
        fmt::format("'{}' is neither POOL nor POOL/SERVER, such as 'chat' or 'chat/10.0.0.1:9001'",
                    shown(target)));
  }
  if (target.size() > kTargetBytesMax || has_control_character(target))
    return Fault(fmt::format("'{}' names no server", shown(target)));
  return {};
}

std::expected<std::chrono::milliseconds, std::string> over_from(const std::string& text) {
  const auto over = parse_duration(text);
  if (!over) return Fault(fmt::format("--over: '{}' {}", shown(text), over.error()));
  if (*over <= kDrainOverMax) return *over;
  return Fault(fmt::format("--over must be between 0s and {}, not {}",
                           print_duration(kDrainOverMax), shown(text)));
}

std::expected<std::uint16_t, std::string> code_from(const std::string& text) {
  std::int64_t code = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, code);
  if (error == std::errc() && behind == end && may_tell_of_drain(code))
    return static_cast<std::uint16_t>(code);
  return Fault(fmt::format("--code must be {}, not '{}'", kDrainCloseCodes, shown(text)));
}

std::expected<void, std::string> check_reason(const std::string& text) {
  if (text.size() > ws::kCloseReasonBytesMax) {
    return Fault(
        fmt::format("--reason must have at most {} bytes, which is what fits in a close "
                    "frame, not {}",
                    ws::kCloseReasonBytesMax, text.size()));
  }
  if (!ws::is_utf8(std::as_bytes(std::span(text)))) return Fault("--reason must be UTF-8");
  if (has_control_character(text)) return Fault("--reason must be one line of plain text");
  return {};
}

// Of a line: each once.
std::expected<void, std::string> take_word(std::string_view part, DrainWords& words) {
  const std::size_t sign = part.find('=');
  const std::string_view key = part.substr(0, sign);
  std::optional<std::string>* const value = key == "over"     ? &words.over
                                            : key == "code"   ? &words.code
                                            : key == "reason" ? &words.reason
                                                              : nullptr;
  if (sign == part.npos || value == nullptr || *value)
    return Fault(fmt::format("'{}' is not understood", shown(part)));
  *value = part.substr(sign + 1);
  return {};
}

}  // namespace

bool may_tell_of_drain(std::int64_t code) {
  return code == ws::kCloseGoingAway || code == ws::kCloseServiceRestart ||
         (code >= 4000 && code <= 4999);
}

std::expected<DrainCommand, std::string> drain_command(bool drains, const DrainWords& words) {
  DrainCommand command{.drains = drains, .pool = {}, .server = {}};
  if (auto taken = take_target(words.target, command); !taken) return Fault(taken.error());
  if (words.over) {
    const auto over = over_from(*words.over);
    if (!over) return Fault(over.error());
    command.over = *over;
  }
  if (words.code) {
    const auto code = code_from(*words.code);
    if (!code) return Fault(code.error());
    command.close_code = *code;
  }
  if (words.reason) {
    if (auto checked = check_reason(*words.reason); !checked) return Fault(checked.error());
    command.close_reason = words.reason;
  }
  return command;
}

std::string line_of(const DrainCommand& command) {
  std::string line((command.drains ? kDrain : kUndrain));
  line += command.pool;
  if (!command.server.empty()) line += "/" + command.server;
  if (command.over) line += "\tover=" + print_duration(*command.over);
  if (command.close_code) line += fmt::format("\tcode={}", *command.close_code);
  if (command.close_reason) line += "\treason=" + *command.close_reason;
  return line;
}

bool is_drain_command(std::string_view line) {
  return line.starts_with(kDrain) || line.starts_with(kUndrain);
}

std::expected<DrainCommand, std::string> drain_command_from(std::string_view line) {
  const bool drains = line.starts_with(kDrain);
  line.remove_prefix((drains ? kDrain : kUndrain).size());
  std::size_t end = std::min(line.find('\t'), line.size());
  DrainWords words{.target = std::string(line.substr(0, end))};
  while (end < line.size()) {
    line.remove_prefix(end + 1);
    end = std::min(line.find('\t'), line.size());
    if (!drains) return Fault("undrain takes a pool or a server, and nothing else");
    if (auto taken = take_word(line.substr(0, end), words); !taken) return Fault(taken.error());
  }
  return drain_command(drains, words);
}

}  // namespace gateway::config
