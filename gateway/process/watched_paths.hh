// Which names in which folders lead to some files, and whether anything happens to them (inotify).
//
//   /etc/gateway/site.pem -> ..data/site.pem     /: etc             /etc: gateway
//   /etc/gateway/..data -> ..2026_11_28          /etc/gateway: site.pem, ..data, ..2026_11_28
//                                                /etc/gateway/..2026_11_28: site.pem, and that file
//
// A folder is watched for what comes, goes and is renamed in it, each on the way to a file, links
// included; a file itself for what is written to it, by whatever name. What others do in these
// folders means nothing. Reading is no change.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gateway {

class WatchedPaths {
 public:
  enum class News {
    none,
    contents,  // of a file
    names,     // the files may be others by now: watch() anew
  };
  struct Fault {
    std::string place;
    int error;  // what keeps it from being watched
  };

  WatchedPaths();
  ~WatchedPaths();
  WatchedPaths(const WatchedPaths&) = delete;
  WatchedPaths& operator=(const WatchedPaths&) = delete;

  // 0, or the errno of why there is no inotify; then nothing is watched.
  int error() const { return error_; }
  // Readable when there is something to take().
  int descriptor() const { return descriptor_; }

  // These, absolute, and nothing else from now on: a change that comes after this looked at a name
  // is news. Gives what cannot be watched, a place that is not there excepted.
  std::vector<Fault> watch(const std::vector<std::string>& paths);

  // What has happened since, the most important of it.
  News take();

  // That hold a file, or a link to one.
  std::size_t folders() const { return holders_.size(); }

 private:
  struct Watch {
    bool is_folder = false;
    std::set<std::string> names;  // that matter, in a folder
  };
  using Places = std::map<std::string, std::pair<int, int>>;  // each: its watch, or an error

  struct Round;
  void follow(const std::string& path, Round& round);
  std::pair<int, int> add(const std::string& place, bool is_folder, Round& round);
  News judge(int watch, unsigned mask, const char* name);

  int descriptor_;
  int error_;
  std::map<int, Watch> watches_;
  std::set<std::string> holders_;
};

}  // namespace gateway
