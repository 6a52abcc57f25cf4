#include "gateway/console/options.hh"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>

namespace gateway {
namespace {

constexpr std::size_t kRowsMax = 1'000'000;

// Options have dashes where names have underscores.
std::string option_of(std::string name) {
  std::ranges::replace(name, '_', '-');
  return name;
}

CLI::App* add_command(CLI::App& app, ConsoleWords& words, const char* name, const char* help) {
  CLI::App* const command = app.add_subcommand(name, help)->fallthrough();
  command->parse_complete_callback([&words, name] { words.command = name; });
  return command;
}

void add_filters(CLI::App& command, ConsoleWords& words) {
  const auto filter = [&](const char* name, const char* type, const char* help) {
    command
        .add_option_function<std::string>(
            "--" + option_of(name),
            [&words, name](const std::string& value) { words.filters.emplace_back(name, value); },
            help)
        ->type_name(type);
  };
  command.add_option("ID", words.id,
                     "One connection, by the id that the log and the table give it");
  filter("route", "NAME", "Those of this route");
  filter("pool", "NAME", "Of this pool");
  filter("server", "HOST:PORT", "Of this server");
  filter("listener", "ADDRESS", "That have come in here");
  filter("client", "NETWORK", "Of this address, or of this network");
  filter("kind", "KIND", "websocket, tunnel, http or idle");
  filter("age", "DURATION", "At least so old, such as 10m");
  filter("idle", "DURATION", "With nothing either way for so long");
  filter("buffered", "SIZE", "With so many bytes that wait to be taken, such as 64KiB");
  filter("message_rate", "NUMBER", "With so many messages a second");
}

}  // namespace

void add_console_commands(CLI::App& app, ConsoleWords& words) {
  CLI::App* const connections =
      add_command(app, words, "connections", "Show the connections that there are, or one of them");
  add_filters(*connections, words);
  connections
      ->add_option(
          "--sort", words.sort,
          "id, age, idle, buffered, rate, messages or bytes; with - before it the greatest "
          "first")
      ->type_name("ORDER");
  connections->add_option("--limit", words.rows, "So many; 0: all")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{0}, kRowsMax));
  connections->add_flag("--json", words.as_json, "As JSON, one a line");

  CLI::App* const kick = add_command(
      app, words, "kick", "Close one connection, or the WebSockets that the filters mean");
  add_filters(*kick, words);
  kick->add_flag("--all", words.all, "Everybody");
  kick->add_option("--code", words.code, "With this close code")->type_name("CODE");
  kick->add_option("--reason", words.reason, "And this text")->type_name("WORDS");
  kick->add_option("--rate", words.rate, "So many a second; without it all at once")
      ->type_name("N");

  CLI::App* const top =
      add_command(app, words, "top", "Show what it does, anew each second; q quits");
  top->add_flag("--once", words.once, "Once, for a pipe");
}

}  // namespace gateway
