// How much memory this process can have: what the machine has, or its control group lets it have
// where that is less, without a reserve for what no account knows.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace gateway {

// `cgroup_file` is as /proc/self/cgroup, `root` where control groups are mounted. Of version 2 each
// group from its own up to the root is looked at; of version 1 its memory controller's root.
std::size_t memory_of_process(std::size_t machine_bytes,
                              const std::filesystem::path& cgroup_file = "/proc/self/cgroup",
                              const std::filesystem::path& root = "/sys/fs/cgroup");
std::size_t memory_of_machine();

// An eighth, but at least 32 MiB and at most 1 GiB; never more than half.
std::size_t without_reserve(std::size_t bytes);

}  // namespace gateway
