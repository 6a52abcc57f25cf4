#include "gateway/process/privileges.hh"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "uring/capabilities.hh"

namespace gateway {
namespace {

// The library does it to all threads; each loses all capabilities with the user, unless it was told
// to keep them.
int become(const config::Account& account) {
  prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  const bool done = setgroups(account.groups.size(), account.groups.data()) == 0 &&
                    setresgid(account.gid, account.gid, account.gid) == 0 &&
                    setresuid(account.uid, account.uid, account.uid) == 0;
  const int error = done ? 0 : errno;
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  return error;
}

}  // namespace

void forbid_new_privileges() {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

std::expected<void, std::string> drop_privileges(const std::optional<config::Account>& account) {
  if (account && geteuid() != account->uid) {
    if (const int error = become(*account); error != 0)
      return std::unexpected(fmt::format("cannot become the user '{}' of the group '{}': {}",
                                         account->user, account->group, strerrordesc_np(error)));
  }
  // Root that is to stay root keeps what it has.
  if (geteuid() == 0) return {};
  if (const int error = uring::keep_only_capability(CAP_NET_BIND_SERVICE); error != 0)
    return std::unexpected(fmt::format("cannot give up capabilities: {}", strerrordesc_np(error)));
  return {};
}

}  // namespace gateway
