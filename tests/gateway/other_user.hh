// Root may read and write everything: while one of these lives, the process is somebody who may
// not, with `folder` open to all, as root's temporary folders are not. Nothing for anybody else.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace gateway {

class OtherUser {
 public:
  explicit OtherUser(const std::filesystem::path& folder) : was_root_(geteuid() == 0) {
    if (!was_root_) return;
    EXPECT_EQ(chmod(folder.c_str(), 0755), 0);
    EXPECT_EQ(seteuid(kNobody), 0);
  }
  ~OtherUser() {
    EXPECT_TRUE(!was_root_ || seteuid(0) == 0);
  }
  OtherUser(const OtherUser&) = delete;
  OtherUser& operator=(const OtherUser&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  const bool was_root_;
};

}  // namespace gateway
