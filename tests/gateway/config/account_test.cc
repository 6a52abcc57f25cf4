// `user` and `group`, and files that are opened as that user.
#include "gateway/config/account.hh"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "gateway/config/file.hh"
#include "tests/gateway/config/text.hh"
#include "tests/temporary_folder.hh"

namespace gateway::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kNobody = "nobody";

// Whom this process can become: somebody else if it is root, else only itself.
std::string user_for_test() {
  return geteuid() == 0 ? kNobody : getpwuid(geteuid())->pw_name;
}

std::string with(std::string_view lines) {
  return std::string(lines) + "\n" + complete();
}

TEST(Account, IsReadByNameAndByNumber) {
  const passwd& entry = *getpwnam(user_for_test().c_str());
  const std::string name = entry.pw_name;
  const uid_t uid = entry.pw_uid;
  const gid_t gid = entry.pw_gid;
  for (const std::string& user : {name, std::to_string(uid)}) {
    const auto config = read(with("user = \"" + user + "\""));
    ASSERT_TRUE(config) << config.error().front().text();
    EXPECT_EQ(config->account->uid, uid);
    EXPECT_EQ(config->account->gid, gid);
    EXPECT_THAT(config->account->groups, Contains(gid));
    EXPECT_THAT(to_toml(*config),
                HasSubstr("user = \"" + user + "\"\ngroup = \"" + config->account->group + "\"\n"));
    EXPECT_TRUE(read(to_toml(*config)));
  }
}

TEST(Account, IsNobodyByDefault) {
  const auto config = read(complete());
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->account);
}

TEST(Account, IsRefusedWithItsPlace) {
  const std::string user = user_for_test();
  EXPECT_THAT(errors_of(with("user = \"no-such\"")),
              ElementsAre("1:8: error: there is no user 'no-such'; make it with 'adduser --system "
                          "--group no-such', or name another"));
  EXPECT_THAT(errors_of(with("user = \"" + user + "\"\ngroup = \"no-such\"")),
              ElementsAre("2:9: error: there is no group 'no-such'; make it with 'addgroup "
                          "--system no-such', or name another"));
  EXPECT_THAT(errors_of(with("user = \"4294967295\"")),
              ElementsAre(HasSubstr("there is no user '4294967295'")));
  EXPECT_THAT(errors_of(with("group = \"no-such\"")),
              ElementsAre("1:9: error: 'group' goes with 'user': name that, too"));
  EXPECT_THAT(errors_of(with("user = \"4000000000\"")),
              ElementsAre("1:8: error: the user 4000000000 has no group of its own: name one with "
                          "'group'"));
}

TEST(Account, IsLookedAtByAStartWithItsPlace) {
  const auto config = read(with("user = \"root\""), "t");
  ASSERT_TRUE(config);
  const auto checked = check_account(*config);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().text(),
            "t:1:8: error: 'user' is root already: leave it out, or name another");
  EXPECT_TRUE(check_account(*read(complete())));
  EXPECT_TRUE(check_account(*read(with("user = \"" + user_for_test() + "\""))));
}

TEST(Account, CanBeAnotherOneForRootOnly) {
  const Account other{
      .user = "other", .group = "other", .uid = 3'999'999, .gid = 3'999'999, .groups = {3'999'999}};
  if (geteuid() == 0) {
    EXPECT_TRUE(can_become(other));
    ASSERT_EQ(seteuid(65534), 0);
  }
  const auto refused = can_become(other);
  const Account same{.user = "x", .group = "y", .uid = geteuid(), .gid = getegid(), .groups = {}};
  const auto fits = can_become(same);
  const Account stranger{
      .user = "x", .group = "y", .uid = geteuid(), .gid = 3'999'999, .groups = {}};
  const auto no_group = can_become(stranger);
  EXPECT_TRUE(getuid() != 0 || seteuid(0) == 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            "only root can become the user 'other': start the gateway as root, or as that user, or "
            "leave 'user' out");
  EXPECT_TRUE(fits);
  ASSERT_FALSE(no_group);
  EXPECT_EQ(no_group.error(),
            "only root can take the group 'y': start the gateway as root, or with that group, or "
            "leave 'group' out");
}

class FilesOfRoot : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can be another";
    chmod(folder_.path().c_str(), 0755);
    std::ofstream(path_) << "text";
    chmod(path_.c_str(), 0600);
  }

  std::string read_it() const {
    const auto text = read_small_file(path_, {.if_absent = "is not there", .cure = "name another"});
    return text ? *text : text.error();
  }

  const TemporaryFolder folder_;
  const std::string path_ = (folder_.path() / "file").string();
  std::optional<Account> account_ =
      Account{.user = "x", .group = "x", .uid = 3'999'999, .gid = 3'999'999, .groups = {3'999'999}};
};

TEST_F(FilesOfRoot, AreNotTheUsers) {
  {
    const ActingAs acting(account_);
    EXPECT_EQ(read_it(), "cannot be read: Permission denied; let the user 3999999 read it");
    EXPECT_EQ(geteuid(), 0u);
  }
  EXPECT_EQ(read_it(), "text");
  account_->uid = getpwnam(kNobody)->pw_uid;
  const ActingAs acting(account_);
  EXPECT_EQ(read_it(), "cannot be read: Permission denied; let the user 'nobody' read it");
}

TEST_F(FilesOfRoot, MayBeAGroupsThatTheUserIsIn) {
  ASSERT_EQ(chown(path_.c_str(), 0, 3'999'998), 0);
  chmod(path_.c_str(), 0640);
  account_->groups.push_back(3'999'998);
  const ActingAs acting(account_);
  EXPECT_EQ(read_it(), "text");
}

TEST_F(FilesOfRoot, AreMadeAsTheUsers) {
  chmod(folder_.path().c_str(), 0777);
  const std::string made = (folder_.path() / "made").string();
  {
    const ActingAs acting(account_);
    std::ofstream(made) << "x";
  }
  struct stat status {};
  ASSERT_EQ(stat(made.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 3'999'999u);
  EXPECT_EQ(status.st_gid, 3'999'999u);
}

TEST_F(FilesOfRoot, AreRootsWithoutAnAccount) {
  const ActingAs acting(std::nullopt);
  EXPECT_EQ(read_it(), "text");
}

}  // namespace
}  // namespace gateway::config
