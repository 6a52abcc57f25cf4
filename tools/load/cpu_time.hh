// The processor time that other processes have used so far.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <span>
#include <string>

namespace load {

// Summed over all threads that live now, to the nanosecond where the kernel keeps such figures
// (schedstat), else in its clock ticks. The error names the process that is not there.
std::expected<std::chrono::nanoseconds, std::string> cpu_time_of(std::span<const pid_t> processes);

}  // namespace load
