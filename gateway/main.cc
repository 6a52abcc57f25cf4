// The gateway's start: options, configuration, process.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "gateway/config/reader.hh"
#include "gateway/console/console.hh"
#include "gateway/log/file.hh"
#include "gateway/names/lookup.hh"
#include "gateway/options.hh"
#include "gateway/process/control_client.hh"
#include "gateway/process/privileges.hh"
#include "gateway/process/process.hh"
#include "gateway/version.hh"
#include "proto/tls/library.hh"
#include "uring/probe.hh"
#include "uring/signals.hh"

namespace {

using namespace gateway;

std::string version_text() {
  return fmt::format("gateway {}\nwolfSSL {}\nliburing {}\nrecords sealed by: {}\nlacking: {}\n",
                     kVersion, kWolfsslVersion, kLiburingVersion, tls::records_sealed_by(),
                     kLibrariesLack.empty() ? "nothing" : kLibrariesLack);
}

// A descriptor that is closed would be the next one opened: a client's, which would get the log.
void occupy_standard_descriptors() {
  int descriptor = 0;
  while (descriptor >= 0 && descriptor <= STDERR_FILENO) descriptor = open("/dev/null", O_RDWR);
  if (descriptor >= 0) close(descriptor);
}

// Whoever reads stderr, if anybody does: it keeps nothing from ending.
void say(const std::string& text) {
  write_to_stderr(text, std::chrono::seconds(1));
}

int fail(const std::string& text) {
  say(text);
  return 1;
}

// What somebody asked for: it waits for whoever reads it. Gives the exit status.
int print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  return fail(fmt::format("gateway: error: cannot write to stdout: {}\n", strerrordesc_np(errno)));
}

// What a check has found.
int print(const config::Config& config, const Process& process) {
  std::string text;
  for (const std::string& warning : config.warnings) text += warning + "\n";
  for (const std::string& warning : process.look_at_machine())
    text += "gateway: warning: " + warning + "\n";
  say(text);
  return print(config::to_toml(config));
}

// What would kill a process that has never heard of it. The process blocks all that it listens for
// when it is made; these wait for it from here on, so that none of them kills a start.
void survive_signals() {
  uring::block_signals({SIGHUP, SIGUSR1, SIGUSR2});
}

// Of the gateway that runs; nothing where that was told already: it cannot be found.
std::optional<std::string> control_socket_of(const Options& options) {
  std::string socket = options.control_socket;
  if (socket.empty()) {
    auto named = config::read_control_socket(options.config_file);
    if (!named) {
      fail(named.error().text() + "\n");
      return std::nullopt;
    }
    socket = std::move(*named);
  }
  return std::filesystem::absolute(socket).string();
}

int speak_to_running(const Options& options) {
  const auto socket = control_socket_of(options);
  if (!socket) return 1;
  if (!options.console.command.empty()) {
    const auto ask = [&](const std::string& command) {
      Told told = ask_running_gateway(*socket, command);
      return ConsoleAnswer{told.status, std::move(told.text)};
    };
    const auto show = [](const std::string& text) { return print(text) == 0; };
    const ConsoleAnswer done = run_console(options.console, ask, show);
    return done.status == 0 ? 0 : fail(done.text);
  }
  const Told told = ask_running_gateway(*socket, options.command);
  if (told.status != 0) return fail(told.text);
  return print(told.text);
}

// While nothing is open yet but what the process was given.
Lineage begin_lineage(std::span<char*> arguments, const sigset_t& signal_mask) {
  Lineage lineage{.handover = Handover::from_environment(), .spawner = {}, .why_no_spawner = {}};
  auto spawner = Spawner::start(
      {.arguments = arguments,
       .standard_error = lineage.handover ? lineage.handover->standard_error() : STDERR_FILENO,
       .signal_mask = signal_mask});
  if (spawner) lineage.spawner = std::move(*spawner);
  if (!spawner) lineage.why_no_spawner = std::move(spawner.error());
  return lineage;
}

int run(const Options& options, std::span<char*> arguments) {
  forbid_new_privileges();
  Lineage lineage;
  if (options.test) {
    // A check takes as many descriptors as a start: this stands for the spawner's.
    (void)open("/dev/null", O_RDWR | O_CLOEXEC);
  } else {
    sigset_t before;
    sigprocmask(SIG_SETMASK, nullptr, &before);
    survive_signals();
    lineage = begin_lineage(arguments, before);
  }
  const auto read = [options](config::FilesRead& files) {
    const config::Resolve resolve(config::resolve_by_system, names::look_up_now);
    return options.command_line.from.empty()
               ? config::read_file(options.config_file, resolve, &files)
               : config::from_command_line(options.command_line, resolve, &files);
  };
  config::FilesRead files;
  auto config = read(files);
  if (!config) {
    std::string text;
    for (const config::Error& error : config.error()) text += error.text() + "\n";
    return fail(text);
  }
  if (auto account = config::check_account(*config); !account)
    return fail(account.error().text() + "\n");
  config::SharedGeneration generation =
      std::make_shared<const config::Generation>(1u, *std::move(config));
  uring::raise_descriptor_limit();
  uring::raise_locked_memory_limit();
  // A process that serves has the only one that stays: a later generation may follow it.
  const config::SharedGeneration tested = options.test ? generation : nullptr;
  auto process =
      Process::create(options, std::move(generation), read, std::move(files), std::move(lineage));
  if (!process) return fail("gateway: error: " + process.error() + "\n");
  if (options.test) return print(tested->config, **process);
  return (*process)->run();
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  const auto options = parse_options(argc, argv);
  if (!options) {
    if (options.error().code == 0) return print(options.error().text);
    std::fputs(options.error().text.c_str(), stderr);
    return options.error().code;
  }
  if (options->version) return print(version_text());
  if (!options->command.empty() || !options->console.command.empty())
    return speak_to_running(*options);
  return run(*options, {argv, static_cast<std::size_t>(argc)});
}
