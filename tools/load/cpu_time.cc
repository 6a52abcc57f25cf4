#include "tools/load/cpu_time.hh"

#include <time.h>

namespace load {

std::expected<std::chrono::nanoseconds, std::string> cpu_time_of(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return std::unexpected("no process " + std::to_string(process));
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace load
