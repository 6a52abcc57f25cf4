#include "gateway/process/memory_limit.hh"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace gateway {
namespace {

constexpr std::size_t kReserveMin = std::size_t{32} << 20;
constexpr std::size_t kReserveMax = std::size_t{1} << 30;

// As it is where the file says no number ("max"), or is not there.
std::size_t at_most(std::size_t bytes, const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::size_t limit = 0;
  return stream >> limit ? std::min(bytes, limit) : bytes;
}

}  // namespace

std::size_t memory_of_process(std::size_t machine_bytes, const std::filesystem::path& cgroup_file,
                              const std::filesystem::path& root) {
  std::size_t bytes = at_most(machine_bytes, root / "memory/memory.limit_in_bytes");
  std::ifstream groups(cgroup_file);
  for (std::string line; std::getline(groups, line);) {
    constexpr std::string_view kVersion2 = "0::/";
    if (!line.starts_with(kVersion2)) continue;
    std::filesystem::path group = line.substr(kVersion2.size());
    for (;; group = group.parent_path()) {
      bytes = at_most(bytes, root / group / "memory.max");
      if (group.empty()) break;
    }
  }
  return bytes;
}

std::size_t memory_of_machine() {
  return static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::size_t without_reserve(std::size_t bytes) {
  const std::size_t reserve = std::clamp(bytes / 8, kReserveMin, kReserveMax);
  return bytes - std::min(reserve, bytes / 2);
}

}  // namespace gateway
