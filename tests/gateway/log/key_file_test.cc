// The file of TLS secrets, as the log's thread writes it.
#include "gateway/log/key_file.hh"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/temporary_folder.hh"

namespace gateway {
namespace {

using testing::HasSubstr;

class KeyFileTest : public testing::Test {
 protected:
  std::string path(const std::string& name = "keys") const {
    return (temporary_.path() / name).string();
  }
  static std::string content(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static mode_t mode(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  const TemporaryFolder temporary_;
  KeyFile file_;
};

TEST_F(KeyFileTest, IsMadeForItsOwnerAloneAndAppendedTo) {
  for (const std::string expected : {"one\n", "one\none\n"}) {
    KeyFile file;
    ASSERT_TRUE(file.want_now(path()));
    EXPECT_EQ(mode(path()), 0600u);
    file.add("one");
    EXPECT_EQ(file.take_turn(), "");
    EXPECT_EQ(content(path()), expected);
  }
}

TEST_F(KeyFileTest, GetsNothingThatNobodyWants) {
  file_.add("before");
  EXPECT_EQ(file_.take_turn(), "");
  file_.want(path());
  EXPECT_EQ(file_.take_turn(), "");
  file_.add("wanted");
  file_.want("");
  EXPECT_EQ(file_.take_turn(), "");  // it was logged while it was wanted
  file_.add("behind");
  EXPECT_EQ(file_.take_turn(), "");
  EXPECT_EQ(content(path()), "wanted\n");
}

TEST_F(KeyFileTest, IsOpenedAgain) {
  file_.want(path());
  file_.add("one");
  EXPECT_EQ(file_.take_turn(), "");
  std::filesystem::rename(path(), path("moved"));
  file_.add("two");
  file_.want(path());
  EXPECT_EQ(file_.take_turn(), "");
  file_.add("three");
  EXPECT_EQ(file_.take_turn(), "");
  EXPECT_EQ(content(path("moved")), "one\ntwo\n");
  EXPECT_EQ(content(path()), "three\n");
}

TEST_F(KeyFileTest, OpenToOthersIsRefused) {
  std::ofstream(path()) << "";
  for (const mode_t open : {0640u, 0604u, 0620u}) {
    ASSERT_EQ(chmod(path().c_str(), open), 0);
    EXPECT_THAT(check_key_file(path()).error(), HasSubstr("is open to others: remove it"));
    EXPECT_THAT(file_.want_now(path()).error(), HasSubstr("is open to others"));
    file_.want(path());
    file_.add("secret");
    EXPECT_THAT(file_.take_turn(),
                HasSubstr("is open to others: remove it, or 'chmod 600' it; no"));
    EXPECT_EQ(content(path()), "");
  }
}

TEST_F(KeyFileTest, WhatIsNoFileIsRefused) {
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_THAT(check_key_file(path()).error(), HasSubstr("is no regular file"));
  file_.want(path());
  EXPECT_THAT(file_.take_turn(), HasSubstr("key log file '" + path()));
  EXPECT_FALSE(check_key_file(path("nowhere") + "/keys"));
  EXPECT_FALSE(check_key_file(temporary_.path().string()));
}

TEST_F(KeyFileTest, AFileOfAnotherNameIsRefused) {
  std::ofstream(path("other")) << "somebody's\n";
  std::filesystem::permissions(path("other"), std::filesystem::perms(0600));
  std::filesystem::create_hard_link(path("other"), path());
  EXPECT_THAT(check_key_file(path()).error(), HasSubstr("is no regular file of one name"));
  EXPECT_THAT(file_.want_now(path()).error(), HasSubstr("is no regular file of one name"));
  std::filesystem::remove(path());
  std::filesystem::create_symlink(path("other"), path());
  EXPECT_FALSE(check_key_file(path()));
  EXPECT_FALSE(file_.want_now(path()));
}

TEST_F(KeyFileTest, TheCheckMakesNone) {
  EXPECT_TRUE(check_key_file(path()));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace gateway
