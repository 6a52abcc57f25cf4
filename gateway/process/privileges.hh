// What the process may do, given up once nothing is left to do that needs it. Everything that only
// root can do comes before: listening sockets, limits, rings and their memory.
//
//     main thread   the user; CAP_NET_BIND_SERVICE, if it was there: a reload may open ports below
//                   1024 (and a thread that is made to load one has it, too)
//     shards        the user; no capability
//     the log's     the user; what the process began with, where that was no root's
//
// And for good: whatever would be executed later gains nothing (no_new_privs).
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "gateway/config/account.hh"

namespace gateway {

// Before any thread is made, since each has this of the one that made it.
void forbid_new_privileges();

// On the main thread. The others may be there already. The error is a whole sentence.
std::expected<void, std::string> drop_privileges(const std::optional<config::Account>& account);

}  // namespace gateway
