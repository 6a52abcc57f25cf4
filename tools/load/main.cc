// gateway-load: loads WebSocket and HTTP servers, and says how they take it.
//
//     command line -> plan -> preflight -> run -> result -> table, verdict, files -> exit status
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>

#include "tools/load/command_line.hh"
#include "tools/load/engine/preflight.hh"
#include "tools/load/engine/run.hh"
#include "tools/load/report/compare.hh"
#include "tools/load/report/gates.hh"
#include "tools/load/report/hdr_log.hh"
#include "tools/load/report/json.hh"
#include "tools/load/report/junit.hh"
#include "tools/load/report/live.hh"
#include "tools/load/report/table.hh"
#include "tools/load/report/verdict.hh"
#include "tools/load/version.hh"
#include "uring/signals.hh"

namespace {

constexpr int kUsageError = 2;

int fail(const std::string& reason) {
  std::fprintf(stderr, "gateway-load: %s\n", reason.c_str());
  return kUsageError;
}

std::expected<std::vector<load::Gate>, std::string> gates_of(const load::Outputs& outputs) {
  std::vector<load::Gate> gates;
  for (const std::string& text : outputs.gates) {
    auto gate = load::gates::parse(text);
    if (!gate) return std::unexpected("--fail-if: " + gate.error());
    gates.push_back(std::move(*gate));
  }
  return gates;
}

// A file, or standard output; false: it could not be written, and has been told.
bool write(const std::string& path, const std::string& text) {
  if (path == "-") return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return true;
  fail("cannot write " + path);
  return false;
}

bool write_all(const load::Outputs& outputs, const load::Result& result,
               const load::GateResults& gates) {
  bool written = true;
  if (!outputs.json.empty()) written &= write(outputs.json, load::report::json_of(result, gates));
  if (!outputs.junit.empty()) {
    written &= write(outputs.junit, load::report::junit_of(result, gates));
  }
  if (!outputs.hdr_log.empty()) written &= write(outputs.hdr_log, load::report::hdr_log_of(result));
  return written;
}

int run(const load::CommandLine& line) {
  const auto gates = gates_of(line.outputs);
  if (!gates) return fail(gates.error());
  if (const auto enough = load::preflight(line.plan); !enough) return fail(enough.error());
  const sigset_t signals = uring::block_signals({SIGINT, SIGTERM});
  load::report::Live live(isatty(STDERR_FILENO) == 1);
  load::Run run(line.plan, signals,
                [&live](const load::report::Progress& progress) { live.show(progress); });
  auto result = run.run();
  live.end();
  if (!result) return fail(result.error());
  result->version = load::kVersion;
  const load::GateResults judged = load::gates::judge(*gates, *result);
  const std::string text =
      load::report::table_of(*result) + load::report::verdict_of(*result, judged);
  // What programs read has standard output for itself.
  std::FILE* const to = line.outputs.json == "-" ? stderr : stdout;
  std::fwrite(text.data(), 1, text.size(), to);
  if (!write_all(line.outputs, *result, judged)) return kUsageError;
  return load::report::exit_status_of(*result, judged);
}

std::string command_of(int argc, char** argv) {
  std::string command = "gateway-load";
  for (int i = 1; i < argc; ++i) command.append(" ").append(argv[i]);
  return command;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Loads a WebSocket or HTTP server, and says how it takes that. With a URL alone: 10 "
      "connections for 10 seconds, each with one message of 64 bytes on its way to an echo and "
      "back. Messages carry numbers, so that lost, duplicated and reordered ones are counted. "
      "Exit status: 0 passed, 1 a gate failed or the counters do not add up, 2 usage, 3 the "
      "generator was the limit, 4 the target could not be reached.");
  load::CommandLine line;
  load::Flags flags;
  load::define(app, line, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  if (line.compares) return load::report::run_compare(line.compared);
  line.plan.command = command_of(argc, argv);
  if (const auto completed = load::complete(line, flags); !completed) {
    return fail(completed.error() + "; --help tells all options");
  }
  return run(line);
}
