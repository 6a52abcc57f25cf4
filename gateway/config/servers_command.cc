#include "gateway/config/servers_command.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "gateway/config/command_text.hh"
#include "gateway/config/names.hh"

namespace gateway::config {
namespace {

using Fault = std::unexpected<std::string>;

constexpr std::string_view kWord = "servers ";
constexpr std::size_t kTextBytesMax = 600;

std::expected<void, std::string> take_servers(const ServersWords& words,
                                              const std::filesystem::path& folder,
                                              ServersCommand& command) {
  if (words.servers.size() > kServersMax)
    return Fault(fmt::format("more than {} servers are given", kServersMax));
  for (const std::string& text : words.servers) {
    auto entry = weighted_entry_from(text, folder);
    if (!entry) return Fault(entry.error());
    for (const ServerEntry& other : command.entries) {
      if (other.server.text == entry->server.text)
        return Fault(fmt::format("server '{}' is given twice", entry->server.text));
    }
    command.entries.push_back(*std::move(entry));
  }
  return {};
}

}  // namespace

std::expected<ServerEntry, std::string> weighted_entry_from(const std::string& text,
                                                            const std::filesystem::path& folder) {
  if (text.empty() || text.size() > kTextBytesMax || has_control_character(text))
    return Fault(fmt::format("'{}' names no server", shown(text)));
  const std::size_t sign = text.rfind('=');
  const std::string_view digits = sign == text.npos ? "" : std::string_view(text).substr(sign + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool is_weighted = !digits.empty() && std::ranges::all_of(digits, is_digit);
  auto entry = entry_from(is_weighted ? text.substr(0, sign) : text, folder);
  if (!entry || !is_weighted) return entry;
  std::uint32_t weight = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), weight);
  if (error != std::errc() || weight > kWeightMax) {
    return Fault(fmt::format("'{}' must have a weight between 0 and {}, not {}", entry->server.text,
                             kWeightMax, shown(digits)));
  }
  entry->server.weight = weight;
  return entry;
}

std::string weighted_text_of(const ServerEntry& entry) {
  const Server& server = entry.server;
  // A path may look as if it had a weight.
  const bool is_plain = server.weight == 1 && server.text.find('=') == server.text.npos;
  return is_plain ? server.text : fmt::format("{}={}", server.text, server.weight);
}

std::expected<ServersCommand, std::string> servers_command(const ServersWords& words,
                                                           const std::filesystem::path& folder) {
  const auto verb = std::ranges::find(kServersVerbNames, words.verb);
  if (verb == kServersVerbNames.end()) {
    return Fault(fmt::format("'{}' must be 'set', 'add', 'remove' or 'reset'", shown(words.verb)));
  }
  if (!is_name(words.pool)) return Fault(fmt::format("'{}' names no pool", shown(words.pool)));
  ServersCommand command{.pool = words.pool,
                         .verb = static_cast<ServersVerb>(verb - kServersVerbNames.begin()),
                         .entries = {}};
  const bool is_reset = command.verb == ServersVerb::reset;
  if (is_reset && !words.servers.empty())
    return Fault("'reset' takes no servers: they are those of the configuration again");
  if (!is_reset && words.servers.empty())
    return Fault(fmt::format("'{}' needs servers, such as 10.0.0.7:9001", words.verb));
  if (auto taken = take_servers(words, folder, command); !taken) return Fault(taken.error());
  return command;
}

std::string line_of(const ServersCommand& command) {
  std::string line = fmt::format("{}{} {}", kWord, command.pool,
                                 kServersVerbNames[static_cast<std::size_t>(command.verb)]);
  for (const ServerEntry& entry : command.entries) line += "\t" + weighted_text_of(entry);
  return line;
}

bool is_servers_command(std::string_view line) {
  return line.starts_with(kWord);
}

std::expected<ServersCommand, std::string> servers_command_from(std::string_view line) {
  line.remove_prefix(kWord.size());
  const std::string_view head = line.substr(0, line.find('\t'));
  const std::size_t blank = head.find(' ');
  ServersWords words{.pool = std::string(head.substr(0, blank)),
                     .verb = blank == head.npos ? "" : std::string(head.substr(blank + 1)),
                     .servers = {}};
  line.remove_prefix(head.size());
  while (!line.empty()) {
    line.remove_prefix(1);
    const std::string_view text = line.substr(0, line.find('\t'));
    words.servers.emplace_back(text);
    line.remove_prefix(text.size());
  }
  return servers_command(words, "/");
}

}  // namespace gateway::config
