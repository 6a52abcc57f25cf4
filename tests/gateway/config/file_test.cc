// Files of any kind, read whole: there is an end to the size and to the waiting.
#include "gateway/config/file.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "tests/gateway/other_user.hh"
#include "tests/temporary_folder.hh"

namespace gateway::config {
namespace {

namespace fs = std::filesystem;

constexpr FileWords kWords = {.if_absent = "is not there", .cure = "name another"};

class SmallFile : public testing::Test {
 protected:
  std::string path(const char* name) const { return (folder_ / name).string(); }
  std::string write(const char* name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  static std::string failure(const std::string& file) {
    const auto text = read_small_file(file, kWords);
    return text ? "it was read" : text.error();
  }

  const TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

TEST_F(SmallFile, IsReadToItsLastByte) {
  const std::string limit(kFileBytesMax, 'x');
  for (const std::string& text : {std::string(), std::string("a\0b", 3), limit}) {
    EXPECT_EQ(read_small_file(write("file", text), kWords), text);
  }
}

TEST_F(SmallFile, TakesNoMoreMemoryThanItNeeds) {
  const auto text = read_small_file(write("file", std::string(100, 'x')), kWords);
  ASSERT_TRUE(text);
  EXPECT_LT(text->capacity(), 1000u);
}

TEST_F(SmallFile, SaysWhyItCannotBeRead) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  path("socket").copy(where.sun_path, sizeof where.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
  close(listener);
  EXPECT_EQ(failure(path("none")), "is not there");
  EXPECT_EQ(failure(folder_), "is a folder; name another");
  EXPECT_EQ(failure(write("large", std::string(kFileBytesMax + 1, 'x'))),
            "is larger than 1MiB; name another");
  EXPECT_EQ(failure("/dev/zero"), "is larger than 1MiB; name another");
  EXPECT_EQ(failure(path("fifo")), "is a FIFO that nobody writes to; name another");
  EXPECT_EQ(failure(path("socket")), "is a socket, or a device that is not there; name another");
  EXPECT_EQ(failure(write("file", "") + "/x"), "cannot be read: Not a directory; name another");
  fs::create_symlink("loop", path("loop"));
  EXPECT_EQ(failure(path("loop")),
            "cannot be read: Too many levels of symbolic links; name another");
}

TEST_F(SmallFile, OfSomebodyElseIsTheUsersToOpen) {
  const std::string file = write("file", "text");
  ASSERT_EQ(chmod(file.c_str(), 0), 0);
  const OtherUser other(folder_);
  EXPECT_EQ(failure(file),
            "cannot be read: Permission denied; let the user that runs the gateway read it");
}

// As a shell's <(command) gives it.
TEST_F(SmallFile, MayComeThroughAPipeInPieces) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const std::string file = "/proc/self/fd/" + std::to_string(ends[0]);
  ASSERT_EQ(::write(ends[1], "first ", 6), 6);
  auto read = std::async(std::launch::async, [&] { return read_small_file(file, kWords); });
  EXPECT_EQ(::write(ends[1], "second", 6), 6);
  close(ends[1]);
  EXPECT_EQ(read.get(), "first second");
  close(ends[0]);
}

TEST_F(SmallFile, IsNotWaitedForWithoutEnd) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const std::string file = "/proc/self/fd/" + std::to_string(ends[0]);
  ASSERT_EQ(::write(ends[1], "begun", 5), 5);
  const auto text = read_small_file(file, kWords, std::chrono::milliseconds(10));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error(), "did not come to its end within 1 s: whoever writes it keeps it open");
  close(ends[0]);
  close(ends[1]);
}

// What a file was, and what it is now.
class StateOfFile : public SmallFile {
 protected:
  static FileState read(const std::string& file) {
    FileState state;
    (void)read_small_file(file, kWords, kFilePatience, &state);
    return state;
  }
  // Its clock stood still since: nothing but the content tells of a change.
  static FileState unsettled(FileState state) {
    state.settled = false;
    return state;
  }
};

TEST_F(StateOfFile, SaysTheSameWhileItsContentDoes) {
  const std::string file = write("file", "text");
  const FileState before = read(file);
  EXPECT_TRUE(before.regular);
  EXPECT_EQ(before.error, 0);
  EXPECT_TRUE(look_at_file(file, before).says_the_same_as(before));
  fs::last_write_time(file, fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_TRUE(look_at_file(file, before).says_the_same_as(before)) << "it was touched";
  fs::rename(write("other", "text"), file);
  EXPECT_TRUE(look_at_file(file, before).says_the_same_as(before)) << "the same was laid over it";
  write("file", "TEXT");
  EXPECT_FALSE(look_at_file(file, before).says_the_same_as(before));
}

TEST_F(StateOfFile, IsReadAgainOnlyWhereItMayBeAnother) {
  std::string file;
  FileState before;
  before.settled = true;
  // A machine may be too busy for "just now".
  for (int tries = 0; before.settled && tries < 5; ++tries) {
    file = write("file", "text");
    before = read(file);
  }
  EXPECT_FALSE(before.settled) << "it was written just now";
  before.digest = {};
  before.settled = true;
  EXPECT_TRUE(look_at_file(file, before).says_the_same_as(before)) << "it was not read";
  EXPECT_FALSE(look_at_file(file, unsettled(before)).says_the_same_as(before));
}

TEST_F(StateOfFile, KnowsThatItCannotBeRead) {
  const FileState none = read(path("none"));
  EXPECT_EQ(none.error, ENOENT);
  EXPECT_TRUE(look_at_file(path("none"), none).says_the_same_as(none));
  const FileState there = read(write("none", ""));
  EXPECT_FALSE(there.says_the_same_as(none)) << "empty, but there";
  EXPECT_EQ(read(folder_).error, EISDIR);
  EXPECT_EQ(look_at_file(folder_, there).error, EISDIR);
  const std::string large = write("large", std::string(kFileBytesMax + 1, 'x'));
  EXPECT_TRUE(look_at_file(large, there).says_the_same_as(read(large)));
}

// Whether whoever reads may open it or not.
TEST_F(StateOfFile, OfASocketIsTheSameForWhoeverLooks) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path("s").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const FileState there = read(path("s"));
  EXPECT_NE(there.error, 0);
  EXPECT_TRUE(look_at_file(path("s"), there).says_the_same_as(there));
  close(socket);
}

// What is in it is for whoever reads it.
TEST_F(StateOfFile, OfAPipeIsNotLookedAt) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  const FileState fifo = read(path("fifo"));
  EXPECT_FALSE(fifo.regular);
  const int both_ends = open(path("fifo").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ASSERT_EQ(::write(both_ends, "x", 1), 1);
  EXPECT_TRUE(look_at_file(path("fifo"), fifo).says_the_same_as(fifo));
  char left = 0;
  EXPECT_EQ(::read(both_ends, &left, 1), 1);
  close(both_ends);
}

}  // namespace
}  // namespace gateway::config
