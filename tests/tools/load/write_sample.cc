// Writes the reports of the made-up run into a folder: for tests in a browser, and to look at.
//
//     write_sample FOLDER [hostile | empty | limited | handshakes]
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/tools/load/sample.hh"
#include "tools/load/report/hdr_log.hh"
#include "tools/load/report/html.hh"
#include "tools/load/report/json.hh"
#include "tools/load/report/junit.hh"
#include "tools/load/report/table.hh"
#include "tools/load/report/verdict.hh"

namespace {

// What a peer, or who gives the command, could try to bring into the page.
constexpr const char* kHostile = "</style><script>document.title='owned'</script><img src=x "
                                 "onerror=document.title='owned'>\" onload='x' \x1b[2J\xff";

load::Result result_of(const std::string& kind) {
  load::Result result = kind == "empty" ? load::Result() : load::sample::run();
  if (kind == "hostile") {
    result.command = result.version = result.targets[0] = kHostile;
    result.errors[kHostile] = {1, kHostile};
    result.errors[std::string(500, 'x')] = {2, std::string(900, 'y')};
    result.generator.limits = {kHostile};
    for (load::Phase& phase : result.phases) phase.name = kHostile;
  }
  if (kind == "handshakes") {
    for (load::Phase& phase : result.phases) {
      for (const auto timing : {load::Timing::kRtt, load::Timing::kService,
                                load::Timing::kFirstMessage, load::Timing::kScheduleLag}) {
        phase.timings[static_cast<std::size_t>(timing)] = {};
      }
      phase.counts.sent = phase.counts.received = phase.counts.lost = phase.counts.unanswered = 0;
    }
    for (load::Interval& one : result.intervals) {
      one.rtt = {};
      one.counts.received = 0;
    }
  }
  if (kind == "empty") result.target_unreachable = true;
  if (kind == "limited") result.generator.limits = {"its busiest thread had a core to itself"};
  return result;
}

bool write(const std::string& file, const std::string& text) {
  return static_cast<bool>(std::ofstream(file) << text);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: write_sample FOLDER [KIND]\n", stderr), 2;
  const std::string folder = argv[1];
  const load::Result result = result_of(argc > 2 ? argv[2] : "");
  std::vector<load::Gate> wanted;
  for (const char* const text : {"rtt.p99>20ms", "lost>10", "errors>0.1k"}) {
    wanted.push_back(load::gates::parse(text).value());
  }
  const load::GateResults gates = load::gates::judge(wanted, result);
  namespace report = load::report;
  const bool written =
      write(folder + "/report.html", report::html_of(result, gates)) &&
      write(folder + "/report.json", report::json_of(result, gates)) &&
      write(folder + "/report.hlog", report::hdr_log_of(result)) &&
      write(folder + "/report.xml", report::junit_of(result, gates)) &&
      write(folder + "/report.txt", report::table_of(result) + report::verdict_of(result, gates));
  return written ? 0 : 1;
}
