#include "gateway/options.hh"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <sstream>

#include "gateway/config/drain_command.hh"
#include "gateway/config/servers_command.hh"
#include "gateway/console/options.hh"

namespace gateway {
namespace {

constexpr int kUsageError = 2;
constexpr unsigned kShardsMax = 256;

void add_command_line(CLI::App& app, config::CommandLine& line) {
  const auto repeat = [&](const char* name, std::vector<std::string>& values, const char* help) {
    app.add_option(name, values, help)->type_name("URL")->allow_extra_args(false);
  };
  repeat("--from", line.from,
         "Without a file: listen on http://HOST:PORT, https://HOST:PORT or unix:PATH; without HOST "
         "on all addresses. May be repeated");
  repeat("--to", line.to,
         "Pass requests to HOST:PORT, https://HOST:PORT or unix:PATH. May be repeated");
  app.add_option("--cert", line.chain_path,
                 "The certificate of https, in PEM; without it one is made for development")
      ->type_name("FILE");
  app.add_option("--key", line.key_path, "Its key, if that is in a file of its own")
      ->type_name("FILE");
}

void add_drain_commands(CLI::App& app, std::string& command, config::DrainWords& words) {
  const auto add = [&](const char* name, const char* help) {
    CLI::App* const one = app.add_subcommand(name, help)->fallthrough();
    one->parse_complete_callback([&command, name] { command = name; });
    one->add_option("TARGET", words.target, "POOL or POOL/SERVER, as the configuration has them")
        ->required();
    return one;
  };
  CLI::App* const drain = add("drain", "Let a server, or a pool's, get nothing new from now on");
  drain->add_option("--over", words.over, "Close its WebSockets over so long, such as 10m")
      ->type_name("DURATION");
  drain->add_option("--code", words.code, "With this close code")->type_name("CODE");
  drain->add_option("--reason", words.reason, "And this text")->type_name("WORDS");
  add("undrain", "Let it get its share again, and keep what is not closed yet");
}

void add_server_commands(CLI::App& app, std::string& command, config::ServersWords& words,
                         bool& as_json) {
  CLI::App* const servers =
      app.add_subcommand("servers", "Give a pool other servers than the configuration says")
          ->fallthrough();
  servers->parse_complete_callback([&command] { command = "servers"; });
  servers->add_option("POOL", words.pool, "The pool, as the configuration has it")->required();
  servers
      ->add_option("VERB", words.verb,
                   "set: it has these and no others. add: these, too. remove: these no more. "
                   "reset: those of the configuration again")
      ->required();
  servers->add_option("SERVER", words.servers,
                      "HOST:PORT, unix:PATH or srv:NAME, with =WEIGHT behind it or without");
  CLI::App* const pools =
      app.add_subcommand("pools", "Show all pools with their servers as they are now")
          ->fallthrough();
  pools->parse_complete_callback([&command] { command = "pools"; });
  pools->add_flag("--json", as_json, "As JSON");
}

void add_commands(CLI::App& app, Options& options) {
  const auto command = [&](const char* name, const char* help) {
    app.add_subcommand(name, help)->fallthrough()->parse_complete_callback([&options, name] {
      options.command = name;
    });
  };
  command("reload", "Let the running gateway take its configuration over again");
  command("stop", "Let it stop in order, as SIGTERM does");
  command("upgrade", "Let the binary that lies where it was started serve instead of it");
  command("status", "Say what it does");
  CLI::App* const metrics =
      app.add_subcommand("metrics", "Say what it has counted, as Prometheus reads it")
          ->fallthrough();
  metrics->parse_complete_callback([&options] { options.command = "metrics"; });
  metrics->add_flag("--openmetrics", options.open_metrics, "In the format of OpenMetrics");
  app.require_subcommand(0, 1);
  app.add_option("--control", options.control_socket,
                 "Its control socket, if not the one that the configuration file names")
      ->type_name("PATH");
}

// Of --watch; or nothing.
std::string fault_of_watch(const Options& options) {
  if (!options.watch) return {};
  const std::string command = options.command + options.console.command;
  if (options.test || !command.empty())
    return "--watch is for a gateway that serves: leave it out with " +
           (options.test ? "-t" : command);
  if (!options.command_line.from.empty() && options.command_line.chain_path.empty())
    return "--watch has nothing to watch: it goes with -c FILE, or with --cert";
  return {};
}

// What no single option can tell; or nothing.
std::string fault_of(const config::CommandLine& line, bool names_a_file) {
  const bool has_from = !line.from.empty();
  const bool has_to = !line.to.empty();
  if (!has_from && !has_to) {
    if (line.chain_path.empty() && line.key_path.empty()) return {};
    return "--cert and --key go with --from; in a configuration file write certificates = [...]";
  }
  if (names_a_file) return "either a configuration file, with -c, or --from and --to: not both";
  if (!has_from) return "--to needs --from, where clients come in, such as --from http://:8080";
  if (!has_to) return "--from needs --to, a server for the requests, such as --to 127.0.0.1:3000";
  return {};
}

// What the control socket gets, of a command that has more than its name.
std::expected<void, std::string> write_line(std::string& command, const config::DrainWords& drain,
                                            const config::ServersWords& servers, bool as_json) {
  if (command == "pools" && as_json) command += " --json";
  if (command == "drain" || command == "undrain") {
    const auto meant = config::drain_command(command == "drain", drain);
    if (!meant) return std::unexpected(meant.error());
    command = config::line_of(*meant);
  } else if (command == "servers") {
    std::error_code failure;
    const auto meant = config::servers_command(servers, std::filesystem::current_path(failure));
    if (!meant) return std::unexpected(meant.error());
    command = config::line_of(*meant);
    if (command.size() >= config::kServersLineBytesMax)
      return std::unexpected(
          "the servers make a line that is too long: give some of them with add");
  }
  return {};
}

}  // namespace

std::expected<Options, EarlyExit> parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app("A gateway for WebSocket and HTTP on io_uring.", "gateway");
  const CLI::Option* const config_file =
      app.add_option("-c,--config", options.config_file, "The configuration file")
          ->type_name("FILE")
          ->capture_default_str();
  app.add_flag("-t,--test", options.test,
               "Check the configuration, print it with all defaults, and end");
  app.add_flag(
      "--watch", options.watch,
      "Take the configuration over again when it, or a file that it names, has changed and "
      "been still for a second");
  app.add_flag("--version", options.version, "Print versions, and end");
  add_command_line(app, options.command_line);
  add_commands(app, options);
  config::DrainWords drain_words;
  add_drain_commands(app, options.command, drain_words);
  add_console_commands(app, options.console);
  config::ServersWords servers_words;
  bool as_json = false;
  add_server_commands(app, options.command, servers_words, as_json);
  app.add_option("--shards", options.shards, "Threads that serve, whatever the configuration says")
      ->type_name("N")
      ->check(CLI::Range(1u, kShardsMax));

  // For tests and benchmarks, which run both forms on a kernel that has both; so --help is silent.
  const std::map<std::string, ReceiveForm> forms = {{"multishot", ReceiveForm::multishot},
                                                    {"oneshot", ReceiveForm::one_shot}};
  app.add_option("--receive", options.receive)
      ->transform(CLI::CheckedTransformer(forms))
      ->group("");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream output;
    std::ostringstream failure;
    const bool failed = app.exit(error, output, failure) != 0;
    return std::unexpected(EarlyExit{failed ? kUsageError : 0, output.str() + failure.str()});
  }
  if (options.command == "metrics" && options.open_metrics) options.command += " --openmetrics";
  std::string fault = fault_of(options.command_line, config_file->count() > 0);
  if (fault.empty()) fault = fault_of_watch(options);
  if (!fault.empty())
    return std::unexpected(EarlyExit{kUsageError, "gateway: error: " + fault + "\n"});
  if (auto written = write_line(options.command, drain_words, servers_words, as_json); !written)
    return std::unexpected(EarlyExit{kUsageError, "gateway: error: " + written.error() + "\n"});
  return options;
}

}  // namespace gateway
