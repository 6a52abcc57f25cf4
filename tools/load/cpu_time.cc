#include "tools/load/cpu_time.hh"

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace load {
namespace {

using std::chrono::nanoseconds;

// The first figure of schedstat: nanoseconds on a processor.
bool add_schedstat(const std::filesystem::path& thread, nanoseconds& sum) {
  std::ifstream file(thread / "schedstat");
  std::int64_t on_cpu = 0;
  if (!(file >> on_cpu)) return false;
  sum += nanoseconds(on_cpu);
  return true;
}

// Fields 14 and 15 of stat, after the name in parentheses: ticks in user and in kernel mode.
bool add_stat(const std::filesystem::path& thread, nanoseconds& sum) {
  std::ifstream file(thread / "stat");
  std::string line;
  if (!std::getline(file, line)) return false;
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return false;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t kernel = 0;
  if (!(fields >> user >> kernel)) return false;
  sum += nanoseconds((user + kernel) * (1'000'000'000 / sysconf(_SC_CLK_TCK)));
  return true;
}

}  // namespace

std::expected<nanoseconds, std::string> cpu_time_of(std::span<const pid_t> processes) {
  nanoseconds sum{0};
  for (const pid_t process : processes) {
    const auto threads = "/proc/" + std::to_string(process) + "/task";
    std::error_code error;
    bool any = false;
    for (const auto& thread : std::filesystem::directory_iterator(threads, error)) {
      any = add_schedstat(thread.path(), sum) || add_stat(thread.path(), sum) || any;
    }
    if (!any) return std::unexpected("no process " + std::to_string(process));
  }
  return sum;
}

}  // namespace load
