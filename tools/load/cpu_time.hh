// The processor time that another process has used so far.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <string>

namespace load {

// Of all its threads, those that have ended among them. The error names the process that is not
// there.
std::expected<std::chrono::nanoseconds, std::string> cpu_time_of(pid_t process);

}  // namespace load
