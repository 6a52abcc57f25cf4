// What this machine's kernel can do and, where it cannot, the cure. Asked once at start.
#pragma once

#include <sys/types.h>

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace uring {

// The reason and the cure for a ring that could not be set up (EPERM, ENOSYS, EINVAL, ENOMEM ...).
// `root`: where /proc is found.
std::string explain_ring_error(int error, const std::filesystem::path& root = "/");

// Who may make rings (kernel.io_uring_disabled, since Linux 6.6): with 1 only root, and whoever is
// in the group, if there is one; with 2 nobody.
struct RingPermission {
  int disabled = 0;
  std::optional<gid_t> group;
};
RingPermission ring_permission(const std::filesystem::path& root = "/");

// Likewise for a thread, whatever it was for.
std::string explain_thread_error(int error, std::string_view purpose);

// Whether a multishot receive takes a byte cap (Linux 6.17): tried on a pair of sockets. Gives 0,
// or -errno where it could not be tried.
int probe_receive_byte_cap(bool& capped);

// Raises the soft limit of open descriptors to the hard one; gives the limit in force.
std::size_t raise_descriptor_limit();

// The same for locked memory, which newer kernels count a ring's as.
void raise_locked_memory_limit();

// How many descriptors the process has open now.
std::size_t open_descriptors();

}  // namespace uring
