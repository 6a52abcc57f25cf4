#include "tests/simulation/runner.hh"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>

#include "tests/simulation/world.hh"

namespace simulation {
namespace {

using std::chrono::steady_clock;

// Of CPU time, for one run, which never waits: what takes longer hangs, however busy the machine
// is.
constexpr unsigned kRunSecondsMax = 60;

// Written by the children.
struct Totals {
  std::uint64_t connections = 0;
};

int run_world(std::uint64_t seed, const Narrowing& narrowing, bool told, Totals& totals) {
  const Scenario scenario = draw(seed, narrowing);
  World world(scenario, told ? stdout : nullptr);
  const bool fine = world.run();
  totals.connections += world.connections();
  std::fflush(nullptr);
  // What has gone wrong cannot be taken down in order.
  if (!fine) _exit(1);
  return 0;
}

struct Child {
  std::uint64_t seed;
  int output;  // a file in memory
};

class Runner {
 public:
  explicit Runner(const Options& options) : options_(options) {
    void* const memory =
        mmap(nullptr, sizeof(Totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    totals_ = new (memory) Totals;
  }

  int run() {
    const auto begun = steady_clock::now();
    std::uint64_t next = options_.from;
    std::uint64_t passed = 0;
    std::optional<std::uint64_t> failed;
    const auto time_is_over = [&] {
      return options_.minutes && steady_clock::now() >= begun + *options_.minutes;
    };
    while (!children_.empty() || (!failed && next <= options_.to && !time_is_over())) {
      const bool more = !failed && next <= options_.to && !time_is_over();
      if (more && children_.size() < options_.jobs) {
        start(next++, options_.narrowing, false);
        continue;
      }
      const auto [seed, fine] = wait();
      if (fine) {
        ++passed;
      } else {
        failed = std::min(seed, failed.value_or(seed));
      }
    }
    const std::chrono::duration<double> took = steady_clock::now() - begun;
    const std::uint64_t seeds = passed + (failed ? 1 : 0);
    fmt::print(
        "{} seeds and {} connections in {:.1f} s: {:.1f} seeds and {:.0f} connections a "
        "second\n",
        seeds, totals_->connections, took.count(), static_cast<double>(seeds) / took.count(),
        static_cast<double>(totals_->connections) / took.count());
    if (!failed) return 0;
    tell(*failed);
    return 1;
  }

 private:
  void start(std::uint64_t seed, const Narrowing& narrowing, bool told) {
    std::fflush(nullptr);
    const int output = memfd_create("output", 0);
    const pid_t process = fork();
    if (process == 0) {
      dup2(output, STDOUT_FILENO);
      dup2(output, STDERR_FILENO);
      const rlimit most{kRunSecondsMax, kRunSecondsMax};
      setrlimit(RLIMIT_CPU, &most);
      _exit(run_world(seed, narrowing, told, *totals_));
    }
    children_.emplace(process, Child{seed, output});
  }

  // The child that ends next: which seed, and whether it passed. output_ is what it said.
  std::pair<std::uint64_t, bool> wait() {
    int status = 0;
    const pid_t process = waitpid(-1, &status, 0);
    const Child child = children_.at(process);
    children_.erase(process);
    output_.resize(static_cast<std::size_t>(lseek(child.output, 0, SEEK_END)));
    const auto size = pread(child.output, output_.data(), output_.size(), 0);
    output_.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    close(child.output);
    if (WIFSIGNALED(status)) {
      output_ += fmt::format("ended by {}\n", strsignal(WTERMSIG(status)));
    }
    return {child.seed, WIFEXITED(status) && WEXITSTATUS(status) == 0};
  }

  bool fails(std::uint64_t seed, const Narrowing& narrowing) {
    start(seed, narrowing, false);
    return !wait().second;
  }

  // Another order of events may be needed where something is left out.
  bool still_fails(std::uint64_t seed, Narrowing& narrowing) {
    for (const std::uint64_t salt :
         {narrowing.salt, std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}}) {
      Narrowing tried = narrowing;
      tried.salt = salt;
      if (!fails(seed, tried)) continue;
      narrowing = tried;
      return true;
    }
    return false;
  }

  Narrowing shorten(std::uint64_t seed);
  void tell(std::uint64_t seed);

  const Options& options_;
  Totals* totals_;
  std::map<pid_t, Child> children_;
  std::string output_;
};

// Leaves out clients, halves of them first, then requests, then faults.
Narrowing Runner::shorten(std::uint64_t seed) {
  Narrowing best = options_.narrowing;
  std::vector<unsigned> clients;
  for (const ClientPlan& plan : draw(seed, best).clients) clients.push_back(plan.number);
  for (std::size_t part = std::max<std::size_t>(clients.size() / 2, 1); part > 0; part /= 2) {
    for (std::size_t at = 0; at < clients.size() && clients.size() > 1;) {
      std::vector<unsigned> fewer = clients;
      const std::size_t end = std::min(at + part, fewer.size());
      fewer.erase(fewer.begin() + static_cast<long>(at), fewer.begin() + static_cast<long>(end));
      Narrowing tried = best;
      tried.clients = fewer;
      if (!fewer.empty() && still_fails(seed, tried)) {
        best = tried;
        clients = fewer;
      } else {
        at += part;
      }
    }
  }
  for (unsigned requests = 1; requests < 5; ++requests) {
    Narrowing tried = best;
    tried.requests = requests;
    if (!still_fails(seed, tried)) continue;
    best = tried;
    break;
  }
  const unsigned faults = draw(seed, best).faults;
  best.faults = faults;
  for (unsigned fault = 1; fault <= faults; fault *= 2) {
    if ((faults & fault) == 0) continue;
    Narrowing tried = best;
    tried.faults = *best.faults & ~fault;
    if (still_fails(seed, tried)) best = tried;
  }
  return best;
}

void Runner::tell(std::uint64_t seed) {
  Narrowing narrowing = options_.narrowing;
  fmt::print("seed {} fails: simulate {} --trace\n", seed, arguments_of(seed, narrowing));
  if (options_.shortens) narrowing = shorten(seed);
  start(seed, narrowing, true);
  const bool passes = wait().second;
  fmt::print("{}", output_);
  if (options_.shortens) {
    fmt::print("seed {} fails, shortened: simulate {} --trace\n", seed,
               arguments_of(seed, narrowing));
  }
  if (passes) fmt::print("... but not a second time: something in it is not repeatable\n");
}

}  // namespace

int run_seeds(const Options& options) {
  if (options.trace) {
    Totals totals;
    return run_world(options.from, options.narrowing, true, totals);
  }
  return Runner(options).run();
}

}  // namespace simulation
