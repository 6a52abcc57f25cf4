// `compare` and `merge` as a user has them: files in, text and an exit status out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/temporary_folder.hh"
#include "tests/tools/load/sample.hh"
#include "tools/load/report/compare.hh"
#include "tools/load/report/file.hh"
#include "tools/load/report/hdr_log.hh"
#include "tools/load/report/json.hh"

namespace load::report {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  struct Outcome {
    int status;
    std::string output;
    std::string error;
  };
  static Outcome run(int (*command)(std::span<const std::string>),
                     const std::vector<std::string>& files) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = command(files);
    std::fflush(stdout);
    return {status, testing::internal::GetCapturedStdout(),
            testing::internal::GetCapturedStderr()};
  }

  const TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

TEST_F(Files, AreCompared) {
  const std::string first = write("a.json", json_of(sample::run({.seed = 1, .seconds = 10}), {}));
  Result limited = sample::run({.seed = 2, .slowness = 2, .seconds = 10});
  limited.generator.limits = {"lag"};
  const std::string second = write("b.json", json_of(limited, {}));
  const Outcome outcome = run(run_compare, {first, second});
  EXPECT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("RTT p50"), HasSubstr("worse"), HasSubstr(first),
                                    HasSubstr("the generator was the limit in the second run")));
}

TEST_F(Files, AreNamedWhereTheyCannotBeCompared) {
  const std::string good = write("a.json", json_of(sample::run({.seconds = 10}), {}));
  const std::string bad = write("c.json", "{}");
  Outcome outcome = run(run_compare, {good, "/nowhere/x.json"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.error, HasSubstr("/nowhere/x.json: cannot be opened: No such file"));
  outcome = run(run_compare, {bad, good});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.error, HasSubstr(bad + ": is no result of gateway-load"));
  EXPECT_EQ(run(run_compare, {good}).status, 2);
  Result brief = sample::run();
  brief.intervals.clear();
  outcome = run(run_compare, {good, write("d.json", json_of(brief, {}))});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.error, HasSubstr("the second run has 0 measured intervals"));
}

TEST_F(Files, AreMerged) {
  const std::string log = hdr_log_of(sample::run({.seconds = 2}));
  const Outcome outcome = run(run_merge, {write("a.hlog", log), write("b.hlog", log)});
  EXPECT_EQ(outcome.status, 0) << outcome.error;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("p99.9"), HasSubstr("\nrtt "), HasSubstr("\ntls ")));
  const Outcome failed = run(run_merge, {write("a.hlog", log), write("c.hlog", "0,1,2,x\n")});
  EXPECT_EQ(failed.status, 2);
  EXPECT_THAT(failed.error, HasSubstr("c.hlog: line 1: "));
  EXPECT_EQ(failed.output, "");
}

TEST_F(Files, AreNotReadWhereTheyAreFolders) {
  EXPECT_FALSE(read_file(folder_.string()));
}

}  // namespace
}  // namespace load::report
