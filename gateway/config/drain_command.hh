// What `gateway drain` and `gateway undrain` ask for: as words, as the command line has them; as a
// line for the control socket of the gateway that runs; and as it is meant. Both ends check it.
//
//   drain POOL[/SERVER] [<tab>over=10m] [<tab>code=1012] [<tab>reason=TEXT]
//   undrain POOL[/SERVER]
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::config {

inline constexpr std::chrono::milliseconds kDrainOverMax = std::chrono::hours(2);
inline constexpr std::string_view kDrainCloseCodes = "a close code, 1001, 1012 or 4000 to 4999";

// What is true of a gateway or a server that goes, and what applications have agreed on (RFC 6455
// section 7.4.2).
bool may_tell_of_drain(std::int64_t code);

struct DrainCommand {
  bool drains = true;  // false: it drains no more
  std::string pool;
  std::string server;  // empty: all of the pool
  // Nothing: as [drain] says.
  std::optional<std::chrono::milliseconds> over = std::nullopt;
  std::optional<std::uint16_t> close_code = std::nullopt;
  std::optional<std::string> close_reason = std::nullopt;

  bool operator==(const DrainCommand&) const = default;
};

struct DrainWords {
  std::string target;
  std::optional<std::string> over = std::nullopt;
  std::optional<std::string> code = std::nullopt;
  std::optional<std::string> reason = std::nullopt;
};

// The error is a sentence that names the option, as "--over".
std::expected<DrainCommand, std::string> drain_command(bool drains, const DrainWords& words);

// Without a line end, and with room for one in what the control socket takes.
std::string line_of(const DrainCommand& command);
// Whether a line is one of the two, if only by its first word.
bool is_drain_command(std::string_view line);
// Precondition: it is.
std::expected<DrainCommand, std::string> drain_command_from(std::string_view line);

}  // namespace gateway::config
