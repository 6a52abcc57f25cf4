#include "gateway/process/watched_paths.hh"

#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace gateway {
namespace {

constexpr unsigned kOfFolder = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                               IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW;
constexpr unsigned kOfFile = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DONT_FOLLOW;

constexpr unsigned kLinksMax = 40;  // as the kernel follows (path_resolution(7))
constexpr int kReadsMax = 64;       // at once: the kernel's queue has no more to give

// The parts of a path that are still to be walked, the next one last.
class Steps {
 public:
  explicit Steps(std::string_view path) { push(path); }

  void push(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
      const std::size_t end = std::min(path.find('/'), path.size());
      if (end > 0) parts.emplace_back(path.substr(0, end));
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    steps_.insert(steps_.end(), parts.rbegin(), parts.rend());
  }
  bool empty() const { return steps_.empty(); }
  std::string pop() {
    std::string step = std::move(steps_.back());
    steps_.pop_back();
    return step;
  }

 private:
  std::vector<std::string> steps_;
};

std::string parent_of(const std::string& folder) {
  const std::size_t slash = folder.rfind('/');
  return slash == 0 ? "/" : folder.substr(0, slash);
}

std::string within(const std::string& folder, const std::string& name) {
  return folder == "/" ? "/" + name : folder + "/" + name;
}

}  // namespace

// What one watch() comes to.
struct WatchedPaths::Round {
  Places places;
  std::map<int, Watch> watches;
  std::set<std::string> holders;
  std::map<std::string, int> faults;
};

WatchedPaths::WatchedPaths()
    : descriptor_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), error_(descriptor_ < 0 ? errno : 0) {}

WatchedPaths::~WatchedPaths() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::vector<WatchedPaths::Fault> WatchedPaths::watch(const std::vector<std::string>& paths) {
  if (descriptor_ < 0) return {};
  Round round;
  for (const std::string& path : paths) follow(path, round);
  for (const auto& [watch, unused] : watches_) {
    if (!round.watches.contains(watch)) inotify_rm_watch(descriptor_, watch);
  }
  watches_ = std::move(round.watches);
  holders_ = std::move(round.holders);
  std::vector<Fault> faults;
  for (const auto& [place, error] : round.faults) faults.push_back({place, error});
  return faults;
}

// Each folder is watched before its entry is looked at, so nothing happens unseen between the two.
// A folder on the way that nobody may list is passed over: it matters where a name in it leads
// elsewhere, or is missing.
void WatchedPaths::follow(const std::string& path, Round& round) {
  Steps steps(path);
  std::string folder = "/";
  unsigned links = 0;
  while (!steps.empty()) {
    const std::string name = steps.pop();
    if (name == ".") continue;
    if (name == "..") {
      folder = parent_of(folder);
      continue;
    }
    const auto [watch, error] = add(folder, true, round);
    if (error == 0) round.watches[watch].names.insert(name);
    const std::string place = within(folder, name);
    struct stat status {};
    const bool is_there = lstat(place.c_str(), &status) == 0;
    if (is_there && S_ISDIR(status.st_mode)) {
      folder = place;
      continue;
    }
    round.holders.insert(folder);
    // What went meanwhile is told of by the folder above.
    if (error != 0 && error != ENOENT && error != ENOTDIR) round.faults[folder] = error;
    if (!is_there) return;
    if (!S_ISLNK(status.st_mode)) {
      const int fault = add(place, false, round).second;
      // Who may not read it hears of a change of that by its folder.
      if (fault != 0 && fault != ENOENT && fault != EACCES) round.faults[place] = fault;
      return;
    }
    std::array<char, PATH_MAX> target;
    const ssize_t size = readlink(place.c_str(), target.data(), target.size());
    if (size <= 0 || ++links > kLinksMax) return;
    if (target.front() == '/') folder = "/";
    steps.push({target.data(), static_cast<std::size_t>(size)});
  }
}

// The watch, and 0; or an errno.
std::pair<int, int> WatchedPaths::add(const std::string& place, bool is_folder, Round& round) {
  const auto found = round.places.find(place);
  if (found != round.places.end()) return found->second;
  const int watch = inotify_add_watch(descriptor_, place.c_str(), is_folder ? kOfFolder : kOfFile);
  const std::pair result(watch, watch < 0 ? errno : 0);
  if (watch >= 0) round.watches[watch].is_folder = is_folder;
  round.places.emplace(place, result);
  return result;
}

WatchedPaths::News WatchedPaths::take() {
  alignas(inotify_event) std::array<char, 16 << 10> bytes;
  News news = News::none;
  for (int reads = 0; reads < kReadsMax; ++reads) {
    const ssize_t size = read(descriptor_, bytes.data(), bytes.size());
    if (size <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event;
      std::memcpy(&event, bytes.data() + at, sizeof event);
      const char* const name = bytes.data() + at + sizeof event;
      news = std::max(news, judge(event.wd, event.mask, event.len > 0 ? name : ""));
      at += sizeof event + event.len;
    }
  }
  return news;
}

WatchedPaths::News WatchedPaths::judge(int watch, unsigned mask, const char* name) {
  if ((mask & IN_Q_OVERFLOW) != 0) return News::names;  // some of the news is lost
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return News::none;
  if ((mask & IN_IGNORED) != 0) {
    watches_.erase(found);
    return News::names;
  }
  if (!found->second.is_folder) return News::contents;
  // Without a name it is about the folder itself.
  const bool matters = *name == '\0' || found->second.names.contains(name);
  return matters ? News::names : News::none;
}

}  // namespace gateway
