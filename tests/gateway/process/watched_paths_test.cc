// What is news of some files, links to them and their folders, and what is none; with inotify.
#include "gateway/process/watched_paths.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/temporary_folder.hh"

namespace gateway {
namespace {

namespace fs = std::filesystem;
using News = WatchedPaths::News;

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

class WatchedPathsTest : public testing::Test {
 protected:
  WatchedPathsTest() { fs::create_directory(folder_); }

  void watch(const std::vector<fs::path>& paths) {
    watched_.clear();
    for (const fs::path& path : paths) watched_.push_back(path.string());
    renew();
  }
  void renew() {
    const auto faults = paths_.watch(watched_);
    EXPECT_TRUE(faults.empty()) << faults.front().place << ": " << strerrordesc_np(faults[0].error);
  }
  // Of what this does; watched anew afterwards, as names want it.
  News of(const std::function<void()>& action) {
    action();
    const News news = paths_.take();
    if (news == News::names) renew();
    EXPECT_EQ(paths_.take(), News::none) << "watching is no news";
    return news;
  }

  const TemporaryFolder temporary_;
  const fs::path root_ = fs::canonical(temporary_.path());
  const fs::path folder_ = root_ / "etc";
  const fs::path file_ = folder_ / "gateway.conf";
  WatchedPaths paths_;
  std::vector<std::string> watched_;
};

TEST_F(WatchedPathsTest, HearsOfAllThatMayChangeAFile) {
  write(file_, "one");
  watch({file_});
  EXPECT_EQ(of([&] { write(file_, "two"); }), News::contents);
  EXPECT_EQ(of([&] { EXPECT_EQ(truncate(file_.c_str(), 1), 0); }), News::contents);
  EXPECT_EQ(of([&] { fs::permissions(file_, fs::perms::owner_read); }), News::names);
  EXPECT_EQ(of([&] {
              write(folder_ / "new", "three");
              fs::rename(folder_ / "new", file_);
            }),
            News::names);
  EXPECT_EQ(of([&] { write(file_, "four"); }), News::contents) << "of the new file";
  EXPECT_EQ(of([&] { fs::remove(file_); }), News::names);
  EXPECT_EQ(of([&] { write(file_, "five"); }), News::names);
  EXPECT_EQ(of([&] { fs::rename(file_, folder_ / "away"); }), News::names);
  EXPECT_EQ(of([&] { fs::create_symlink("away", file_); }), News::names);
  EXPECT_EQ(of([&] { write(folder_ / "away", "six"); }), News::contents) << "behind the link";
  EXPECT_EQ(of([&] {
              fs::remove(file_);
              fs::create_hard_link(folder_ / "away", file_);
            }),
            News::names);
}

TEST_F(WatchedPathsTest, HearsOfAFileByAnotherOfItsNames) {
  write(root_ / "other name", "one");
  fs::create_hard_link(root_ / "other name", file_);
  watch({file_});
  EXPECT_EQ(of([&] { write(root_ / "other name", "two"); }), News::contents);
}

TEST_F(WatchedPathsTest, HearsNothingOfReadersAndOfOthersInTheFolder) {
  write(file_, "one");
  write(folder_ / "log", "line\n");
  watch({file_});
  EXPECT_EQ(of([&] {
              std::string text;
              std::ifstream(file_) >> text;
              EXPECT_EQ(text, "one");
              fs::directory_iterator list(folder_);
              std::ofstream(folder_ / "log", std::ios::app) << "line\n";
              fs::rename(folder_ / "log", folder_ / "log.1");
              write(folder_ / "log", "line\n");
              fs::remove(folder_ / "log");
              fs::create_directory(folder_ / "folder");
              fs::permissions(folder_ / "log.1", fs::perms::owner_all);
            }),
            News::none);
}

TEST_F(WatchedPathsTest, FollowsAConfigMapThroughItsLinks) {
  const auto lay = [&](const std::string& version) {
    fs::create_directory(folder_ / version);
    write(folder_ / version / "gateway.conf", version);
    fs::create_symlink(version, folder_ / "..data_tmp");
    fs::rename(folder_ / "..data_tmp", folder_ / "..data");
  };
  lay("..one");
  fs::create_symlink("..data/gateway.conf", file_);
  watch({file_});
  EXPECT_EQ(paths_.folders(), 2u);
  EXPECT_EQ(of([&] { lay("..two"); }), News::names);
  EXPECT_EQ(of([&] { fs::remove_all(folder_ / "..one"); }), News::none) << "nothing leads there";
  EXPECT_EQ(of([&] { write(folder_ / "..two" / "gateway.conf", "x"); }), News::contents);
  EXPECT_EQ(of([&] { lay("..three"); }), News::names);
}

TEST_F(WatchedPathsTest, FollowsFoldersThatAreLinksAndWaysUp) {
  fs::create_directories(root_ / "releases" / "1");
  fs::create_directories(root_ / "releases" / "2");
  write(root_ / "releases" / "1" / "gateway.conf", "one");
  write(root_ / "releases" / "2" / "gateway.conf", "two");
  fs::create_symlink(root_ / "releases" / "1", folder_ / "current");
  fs::create_symlink("../etc/./current//gateway.conf", root_ / "releases" / "link");
  watch({root_ / "releases" / "link"});
  EXPECT_EQ(paths_.folders(), 3u) << "releases, etc, releases/1";
  EXPECT_EQ(of([&] { write(root_ / "releases" / "2" / "gateway.conf", "x"); }), News::none);
  EXPECT_EQ(of([&] {
              fs::create_symlink("../releases/2", folder_ / "next");
              fs::rename(folder_ / "next", folder_ / "current");
            }),
            News::names);
  EXPECT_EQ(of([&] { write(root_ / "releases" / "2" / "gateway.conf", "y"); }), News::contents);
}

TEST_F(WatchedPathsTest, HearsOfFoldersThatGoAndComeBack) {
  const fs::path deep = folder_ / "a" / "b" / "site.pem";
  const auto lay = [&] {
    fs::create_directories(deep.parent_path());
    write(deep, "x");
  };
  lay();
  watch({deep});
  EXPECT_EQ(of([&] { fs::remove_all(folder_ / "a"); }), News::names);
  EXPECT_EQ(of([&] { fs::create_directory(folder_ / "a"); }), News::names);
  EXPECT_EQ(of(lay), News::names);
  EXPECT_EQ(of([&] { write(deep, "y"); }), News::contents);
  EXPECT_EQ(of([&] { fs::rename(folder_, root_ / "old"); }), News::names);
  EXPECT_EQ(of([&] { write(root_ / "old" / "a" / "b" / "site.pem", "z"); }), News::none);
  EXPECT_EQ(of(lay), News::names);
  EXPECT_EQ(of([&] { fs::remove(deep); }), News::names);
}

TEST_F(WatchedPathsTest, EndsWhereLinksLeadRoundAndRound) {
  fs::create_symlink("b", folder_ / "a");
  fs::create_symlink("a", folder_ / "b");
  watch({folder_ / "a"});
  EXPECT_EQ(of([&] {
              fs::remove(folder_ / "b");
              write(folder_ / "b", "x");
            }),
            News::names);
}

TEST_F(WatchedPathsTest, LetsGoWhatIsNotWatchedAnyMore) {
  write(file_, "one");
  write(folder_ / "site.pem", "two");
  watch({file_, folder_ / "site.pem"});
  watch({file_});
  EXPECT_EQ(of([&] { write(folder_ / "site.pem", "x"); }), News::none);
  EXPECT_EQ(of([&] { fs::remove(folder_ / "site.pem"); }), News::none);
  EXPECT_EQ(of([&] { write(file_, "x"); }), News::contents);
}

TEST_F(WatchedPathsTest, IsTornAwayFromNothingByAFloodOfNews) {
  write(file_, "one");
  write(folder_ / "other", "x");
  watch({file_});
  // More than the kernel keeps: it says that some were lost.
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  unsigned events = 0;
  ASSERT_TRUE(limit >> events);
  EXPECT_EQ(of([&] {
              for (unsigned count = 0; count <= events; ++count) {
                fs::rename(folder_ / "other", folder_ / "another");
                fs::rename(folder_ / "another", folder_ / "other");
              }
            }),
            News::names);
  EXPECT_EQ(of([&] { write(file_, "two"); }), News::contents);
}

}  // namespace
}  // namespace gateway
