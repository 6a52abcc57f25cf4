#include "gateway/config/account.hh"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "uring/capabilities.hh"

namespace gateway::config {
namespace {

std::optional<unsigned> number_of(const std::string& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  // The last one means "as it is" to the system.
  if (!is_whole || number == std::numeric_limits<unsigned>::max()) return std::nullopt;
  return number;
}

std::vector<gid_t> groups_of(const char* user, gid_t gid) {
  int count = 16;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (getgrouplist(user, gid, groups.data(), &count) < 0)
    groups.resize(static_cast<std::size_t>(count));
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

std::vector<gid_t> own_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(getgroups(0, nullptr), 0)));
  const int count = getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return groups;
}

// Of this thread alone, unlike setgroups().
void set_groups(const std::vector<gid_t>& groups) {
  (void)syscall(SYS_setgroups, groups.size(), groups.data());
}

}  // namespace

std::optional<uid_t> user_id(const std::string& text) {
  if (const passwd* const entry = getpwnam(text.c_str())) return entry->pw_uid;
  return number_of(text);
}

std::optional<gid_t> group_id(const std::string& text) {
  if (const group* const entry = getgrnam(text.c_str())) return entry->gr_gid;
  return number_of(text);
}

std::expected<Account, NoAccount> find_account(const std::string& user,
                                               const std::optional<std::string>& group) {
  const auto uid = user_id(user);
  if (!uid)
    return std::unexpected(NoAccount{fmt::format(
        "there is no user '{0}'; make it with 'adduser --system --group {0}', or name another",
        user)});
  Account account{.user = user, .group = {}, .uid = *uid, .gid = 0, .groups = {}};
  const passwd* const named = getpwnam(user.c_str());
  const passwd* const entry = named != nullptr ? named : getpwuid(*uid);
  if (entry != nullptr) account.gid = entry->pw_gid;
  if (group) {
    const auto gid = group_id(*group);
    if (!gid)
      return std::unexpected(NoAccount{
          fmt::format("there is no group '{0}'; make it with 'addgroup --system {0}', or name "
                      "another",
                      *group),
          true});
    account.group = *group;
    account.gid = *gid;
  } else if (entry == nullptr) {
    return std::unexpected(
        NoAccount{fmt::format("the user {} has no group of its own: name one with 'group'", user)});
  } else {
    const struct group* const own = getgrgid(account.gid);
    account.group = own != nullptr ? own->gr_name : fmt::to_string(account.gid);
  }
  account.groups =
      entry != nullptr ? groups_of(entry->pw_name, account.gid) : std::vector{account.gid};
  return account;
}

std::expected<void, std::string> can_become(const Account& account) {
  if (account.uid == 0)
    return std::unexpected(std::string("'user' is root already: leave it out, or name another"));
  if (geteuid() == account.uid) {
    const std::vector<gid_t> groups = own_groups();
    if (getegid() == account.gid || std::ranges::find(groups, account.gid) != groups.end())
      return {};
    return std::unexpected(
        fmt::format("only root can take the group '{}': start the gateway as root, or with that "
                    "group, or leave 'group' out",
                    account.group));
  }
  if (uring::has_capability(CAP_SETUID) && uring::has_capability(CAP_SETGID)) return {};
  return std::unexpected(
      fmt::format("only root can become the user '{}': start the gateway as root, or as that user, "
                  "or leave 'user' out",
                  account.user));
}

ActingAs::ActingAs(const std::optional<Account>& account)
    : acts_(account && geteuid() != account->uid && can_become(*account)) {
  if (!acts_) return;
  groups_before_ = own_groups();
  set_groups(account->groups);
  setfsgid(account->gid);
  setfsuid(account->uid);  // the rights of root over files go with it
}

ActingAs::~ActingAs() {
  if (!acts_) return;
  setfsuid(geteuid());
  setfsgid(getegid());
  set_groups(groups_before_);
}

std::string who_opens_files() {
  const auto uid = static_cast<uid_t>(setfsuid(static_cast<uid_t>(-1)));  // which changes nothing
  // Where it may not even ask, it has not become anybody else.
  const bool unknown = uid == static_cast<uid_t>(-1);
  if (unknown || uid == geteuid()) return "the user that runs the gateway";
  const passwd* const entry = getpwuid(uid);
  return entry != nullptr ? fmt::format("the user '{}'", entry->pw_name)
                          : fmt::format("the user {}", uid);
}

}  // namespace gateway::config
