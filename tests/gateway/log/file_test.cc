// What a log may be written to, and what is said of the rest: by the check as by the start.
#include "gateway/log/file.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/gateway/other_user.hh"
#include "tests/temporary_folder.hh"

namespace gateway {
namespace {

namespace fs = std::filesystem;

class LogFileKinds : public testing::Test {
 protected:
  std::string path(const char* name) const { return (folder_ / name).string(); }

  // What both say of it, with the folder's name replaced by "DIR"; empty: nothing.
  std::string refusal(const std::string& file) {
    const auto checked = check_log_file(file);
    const auto opened = LogFile::open(file);
    EXPECT_EQ(checked.has_value(), opened.has_value()) << file;
    if (checked) return {};
    EXPECT_TRUE(opened || checked.error() == opened.error()) << file;
    std::string text = checked.error();
    for (size_t at = 0; (at = text.find(folder_.string(), at)) != text.npos;)
      text.replace(at, folder_.string().size(), "DIR");
    return text;
  }

  const TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

TEST_F(LogFileKinds, AreFilesDevicesAndFifos) {
  std::ofstream(path("there")) << "line\n";
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  fs::create_symlink(path("there"), path("link"));
  for (const std::string& file :
       {path("new"), path("there"), path("link"), path("fifo"), std::string("/dev/null")}) {
    EXPECT_EQ(refusal(file), "");
  }
}

TEST_F(LogFileKinds, MayBeAPipeOfTheProcess) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string file = "/proc/self/fd/" + std::to_string(ends[1]);
  EXPECT_TRUE(check_log_file(file));
  {
    auto opened = LogFile::open(file);
    ASSERT_TRUE(opened) << opened.error();
    EXPECT_EQ(opened->write("line").error, 0);
  }
  char text[8];
  EXPECT_EQ(read(ends[0], text, sizeof text), 4);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(LogFileKinds, AreNamedWithWhatIsWrong) {
  std::ofstream(path("file")) << "line\n";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(listener);

  EXPECT_EQ(refusal(path("none/log")), "there is no folder 'DIR/none' for the log file");
  EXPECT_EQ(refusal(path("file/log")), "there is no folder 'DIR/file' for the log file");
  EXPECT_EQ(refusal(path("new/")), "there is no folder 'DIR/new' for the log file");
  EXPECT_EQ(refusal(folder_.string()), "'DIR' is a folder, not a log file");
  EXPECT_EQ(refusal(path("socket")),
            "log file 'DIR/socket' is a socket: name a file, or \"stderr\"");
}

TEST_F(LogFileKinds, MustBeTheUsersToWrite) {
  std::ofstream(path("file")) << "line\n";
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  chmod(path("file").c_str(), 0400);
  chmod(path("fifo").c_str(), 0400);
  fs::create_directory(path("closed"));
  chmod(path("closed").c_str(), 0500);
  const OtherUser user(folder_);
  for (const char* name : {"file", "fifo", "closed/log"}) {
    EXPECT_EQ(refusal(path(name)), "log file 'DIR/" + std::string(name) +
                                       "' cannot be written: Permission denied; let the "
                                       "gateway's user write there");
  }
}

TEST_F(LogFileKinds, AreNotMadeByTheCheck) {
  fs::create_symlink("new", path("link"));
  for (const char* name : {"new", "link"}) EXPECT_TRUE(check_log_file(path(name)));
  EXPECT_FALSE(fs::exists(path("new")));
}

// A file that is made is made behind the link.
TEST_F(LogFileKinds, MayBeLinksToNothingYet) {
  fs::create_directory(path("logs"));
  fs::create_symlink("logs/there", path("good"));
  fs::create_symlink("good", path("twice"));
  fs::create_symlink("none/log", path("bad"));
  fs::create_symlink(path("bad"), path("bad twice"));
  fs::create_symlink("circle", path("circle"));
  EXPECT_EQ(refusal(path("twice")), "");
  EXPECT_TRUE(fs::exists(path("logs/there")));
  for (const char* name : {"bad", "bad twice"})
    EXPECT_EQ(refusal(path(name)), "there is no folder 'DIR/none' for the log file");
  EXPECT_EQ(refusal(path("circle")),
            "log file 'DIR/circle' cannot be written: Too many levels of symbolic links");
}

// As fs.protected_regular does with another user's file in a folder such as /tmp. For good.
void refuse_to_make_files() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(program), program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

TEST_F(LogFileKinds, AreOpenedWithoutMakingThemWhereTheyAreThere) {
  std::ofstream(path("there")) << "line\n";
  const auto opens = [&](const char* name) { return LogFile::open(path(name)).has_value(); };
  EXPECT_EXIT(
      {
        refuse_to_make_files();
        std::_Exit(opens("there") && !opens("new") ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

// A program that runs may not be written, whatever its rights say.
TEST_F(LogFileKinds, AreOpenedByTheCheckWhereTheyAreThere) {
  const std::string said = refusal(fs::read_symlink("/proc/self/exe"));
  EXPECT_TRUE(said.empty() || said.find("cannot be written") != said.npos) << said;
}

}  // namespace
}  // namespace gateway
