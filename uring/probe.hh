// What this machine's kernel can do and, where it cannot, the cure. Asked once at start.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace uring {

// The reason and the cure for a ring that could not be set up (EPERM, ENOSYS, EINVAL, ENOMEM ...).
std::string explain_ring_error(int error);

// Likewise for a thread, whatever it was for.
std::string explain_thread_error(int error, std::string_view purpose);

// Whether a multishot receive takes a byte cap (Linux 6.17): tried on a pair of sockets.
bool probe_receive_byte_cap();

// Raises the soft limit of open descriptors to the hard one; gives the limit in force.
std::size_t raise_descriptor_limit();

// How many descriptors the process has open now.
std::size_t open_descriptors();

}  // namespace uring
