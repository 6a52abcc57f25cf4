// gateway-load: loads WebSocket and HTTP servers, and says how they take it.
//
//     command line -> plan -> preflight -> run -> result -> table, verdict, files -> exit status
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>

#include "tools/load/bad_share.hh"
#include "tools/load/combinations.hh"
#include "tools/load/command_line.hh"
#include "tools/load/engine/preflight.hh"
#include "tools/load/engine/run.hh"
#include "tools/load/find.hh"
#include "tools/load/report/compare.hh"
#include "tools/load/report/gates.hh"
#include "tools/load/report/hdr_log.hh"
#include "tools/load/report/html.hh"
#include "tools/load/report/json.hh"
#include "tools/load/report/junit.hh"
#include "tools/load/report/live.hh"
#include "tools/load/report/table.hh"
#include "tools/load/report/verdict.hh"
#include "tools/load/scenario_file.hh"
#include "tools/load/version.hh"
#include "uring/signals.hh"

namespace {

constexpr int kUsageError = 2;
// Where a search begins.
constexpr double kFirstRate = 1000;

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

// A run is not for nothing: where its results cannot go is found out before it.
std::expected<void, std::string> try_outputs(const load::Outputs& outputs) {
  for (const std::string* path : {&outputs.json, &outputs.junit, &outputs.hdr_log, &outputs.html}) {
    if (path->empty() || (*path == "-" && path == &outputs.json)) continue;
    if (*path == "-") return std::unexpected("--json alone can go to standard output: name a file");
    const std::string* const paths[] = {&outputs.json, &outputs.junit, &outputs.hdr_log,
                                        &outputs.html};
    if (std::ranges::count(paths, *path, [](const std::string* one) { return *one; }) > 1) {
      return std::unexpected("two results would go to " + *path + ": name two files");
    }
    if (!std::ofstream(*path, std::ios::binary | std::ios::app)) {
      return std::unexpected("cannot write " + *path + ": " + std::strerror(errno));
    }
  }
  return {};
}

bool write_all(const load::Outputs& outputs, const load::Result& result,
               const load::GateResults& gates) {
  bool written = true;
  if (!outputs.json.empty()) written &= write(outputs.json, load::report::json_of(result, gates));
  if (!outputs.junit.empty()) {
    written &= write(outputs.junit, load::report::junit_of(result, gates));
  }
  if (!outputs.hdr_log.empty()) written &= write(outputs.hdr_log, load::report::hdr_log_of(result));
  if (!outputs.html.empty()) written &= write(outputs.html, load::report::html_of(result, gates));
  return written;
}

std::expected<load::Result, std::string> search(const load::CommandLine& line,
                                                const load::Gate& objective,
                                                const sigset_t& signals,
                                                const load::Run::Show& show,
                                                const std::function<void(double)>& trying) {
  const double first = line.plan.phases.front().rate.per_second;
  return load::find_rate(objective, first > 0 ? first : kFirstRate, [&](double per_second) {
    trying(per_second);
    load::Plan plan = line.plan;
    for (load::PhasePlan& phase : plan.phases) phase.rate.per_second = per_second;
    return load::Run(plan, signals, show).run();
  });
}

int run(const load::CommandLine& line) {
  const auto gates = gates_of(line.outputs);
  if (!gates) return fail(gates.error());
  std::optional<load::Gate> objective;
  if (!line.outputs.objective.empty()) {
    auto parsed = load::gates::parse(line.outputs.objective);
    if (!parsed) return fail("--find: " + parsed.error());
    objective = std::move(*parsed);
    for (const load::PhasePlan& phase : line.plan.phases) {
      if (!phase.length) return fail("--find: each trial has an end: give a --duration");
    }
  }
  if (const auto writable = try_outputs(line.outputs); !writable) return fail(writable.error());
  if (const auto enough = load::preflight(line.plan); !enough) return fail(enough.error());
  const sigset_t signals = uring::block_signals({SIGINT, SIGTERM});
  load::report::Live live(isatty(STDERR_FILENO) == 1);
  const auto show = [&live](const load::report::Progress& progress) { live.show(progress); };
  const auto trying = [&live](double per_second) {
    live.end();
    std::fprintf(stderr, "trying %.0f a second\n", per_second);
  };
  auto result = objective ? search(line, *objective, signals, show, trying)
                          : load::Run(line.plan, signals, show).run();
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

// `run FILE OPTION...`: the options that the file has, and those behind it.
std::expected<load::Scenario, std::string> scenario_of(const CLI::App& app, int argc, char** argv) {
  if (argc < 3 || std::string_view(argv[1]) != "run" || argv[2][0] == '-') return load::Scenario{};
  const std::string path = argv[2];
  std::ifstream file(path);
  std::stringstream text;
  if (!(text << file.rdbuf())) return std::unexpected("cannot read " + path);
  std::vector<std::string> options;
  for (const CLI::Option* const option : app.get_options()) {
    options.insert(options.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  auto scenario = load::read_scenario(text.str(), options);
  if (!scenario) return std::unexpected(path + ":" + scenario.error());
  scenario->arguments.insert(scenario->arguments.end(), argv + 3, argv + argc);
  if (scenario->arguments.empty()) return std::unexpected(path + ": no target");
  return scenario;
}

// An error of the command line; of what a scenario says with its place.
int fail(const std::string& reason, const load::Scenario& scenario, const char* file) {
  const std::string place = scenario.place_of(reason);
  return fail(place.empty() ? reason : std::string(file) + ":" + place + reason);
}

std::string command_of(int argc, char** argv) {
  std::string command = "gateway-load";
  bool is_header = false;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    const bool joined = word.starts_with("--header=");
    // Reports are kept and shown to others; what opens a door is not for them.
    if (is_header || joined) word = load::without_secret(word);
    is_header = word == "--header";
    command += " " + word;
  }
  return command;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Loads a WebSocket or HTTP server, and says how it takes that. With a URL alone: 10 "
      "connections for 10 seconds, each with one message of 64 bytes on its way to an echo and "
      "back. Messages carry numbers, so that lost, duplicated and reordered ones are counted. "
      "Exit status: 0 passed, 1 a gate failed, the counters do not add up, no connection was left "
      "or nothing was answered, 2 usage, 3 the generator was the limit, 4 the target could not be "
      "reached.");
  load::CommandLine line;
  load::Flags flags;
  load::define(app, line, flags);
  const auto scenario = scenario_of(app, argc, argv);
  if (!scenario) return fail(scenario.error());
  try {
    if (scenario->arguments.empty()) {
      app.parse(argc, argv);
    } else {
      app.parse(std::vector(scenario->arguments.rbegin(), scenario->arguments.rend()));
    }
  } catch (const CLI::ParseError& error) {
    if (!scenario->place_of(error.what()).empty()) return fail(error.what(), *scenario, argv[2]);
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  if (!line.compared.empty()) return load::report::run_compare(line.compared);
  if (!line.merged.empty()) return load::report::run_merge(line.merged);
  line.plan.command = command_of(argc, argv);
  line.plan.steps = scenario->steps;
  line.plan.fields = scenario->fields;
  if (const auto completed = load::complete(line, flags); !completed) {
    return fail(completed.error() + "; --help tells all options", *scenario, argv[2]);
  }
  load::adopt_phases(line.plan, *scenario);
  if (const auto fits = load::check_combinations(line, flags, *scenario); !fits) {
    return fail(fits.error() + "; --help tells all options", *scenario, argv[2]);
  }
  if (const auto apart = load::set_bad_apart(line.plan); !apart) {
    return fail(apart.error(), *scenario, argv[2]);
  }
  return run(line);
}
