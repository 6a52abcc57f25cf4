// A filter of system calls (seccomp) over all threads, for the time after the start: whoever takes
// the process over finds no way to another program. What a gateway never needs is refused with
// EPERM: to execute, to make a process, to look into others', and what administers the machine.
//
// A list of what is refused, not of what is allowed: requests to a ring pass no filter, so that a
// list which spares files and sockets would only look stricter, and what the C library calls
// differs from one release to the next. No request to a ring executes a program.
//
// Who has to execute something later, as an upgrade of the binary does, needs a process that was
// made before.
#pragma once

#include <expected>
#include <string>

namespace gateway {

// For good. The error is a whole sentence with the cure.
std::expected<void, std::string> filter_system_calls();

}  // namespace gateway
