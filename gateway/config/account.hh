// Who the gateway is once it has started: `user` and `group`. And reading files as that one before,
// so that what a reload will not be able to read shows at the start, and in a check.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace gateway::config {

struct Account {
  std::string user;  // a name, or a number
  std::string group;
  uid_t uid;
  gid_t gid;
  std::vector<gid_t> groups;  // all that the user is in, `gid` among them
};

// By names or numbers; without `group` it is the user's own. Fails with a whole sentence and
// whether it is about the group.
struct NoAccount {
  std::string text;
  bool of_group = false;
};
std::expected<Account, NoAccount> find_account(const std::string& user,
                                               const std::optional<std::string>& group);

// Whether this process can become it, or is it already; else a whole sentence with the cure.
std::expected<void, std::string> can_become(const Account& account);

// A user's or group's number, by its name or as it is.
std::optional<uid_t> user_id(const std::string& text);
std::optional<gid_t> group_id(const std::string& text);

// While it lives, the calling thread opens and makes files as the account would, if root has
// started the process; nobody else needs it, or could.
class ActingAs {
 public:
  explicit ActingAs(const std::optional<Account>& account);
  ~ActingAs();
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;

 private:
  bool acts_ = false;
  std::vector<gid_t> groups_before_;
};

// Who a file must be open to for this thread to read it: "the user 'gateway'".
std::string who_opens_files();

}  // namespace gateway::config
