#include "gateway/process/watch.hh"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gateway/config/account.hh"
#include "gateway/process/words.hh"

namespace gateway {
namespace {

std::string cure_of(int error) {
  switch (error) {
    case ENOSPC:
      return "; raise fs.inotify.max_user_watches (sysctl)";
    case EMFILE:
      return "; raise fs.inotify.max_user_instances (sysctl), or the limit of open files";
    case EACCES:
      return fmt::format("; let {} read that folder", config::who_opens_files());
    default:
      return "";
  }
}

// What is to be told of them: of those with one cause the first stands for all.
std::string text_of(const std::vector<WatchedPaths::Fault>& faults) {
  std::string text;
  std::set<int> told;
  for (const WatchedPaths::Fault& fault : faults) {
    if (!told.insert(fault.error).second) continue;
    const auto others = std::ranges::count(faults, fault.error, &WatchedPaths::Fault::error) - 1;
    text += fmt::format("{}{}{} cannot be watched: {}{}", text.empty() ? "" : "; ", fault.place,
                        others > 0 ? fmt::format(" and {} more", others) : "",
                        strerrordesc_np(fault.error), cure_of(fault.error));
  }
  return text;
}

}  // namespace

Watch::Watch(uring::Loop& loop, Log log, Reloads reloads)
    : loop_(loop),
      log_(log),
      reloads_(std::move(reloads)),
      stillness_(loop, [this] { compare(); }),
      next_look_(*this, loop.timers()),
      ended_(loop.ready()),
      error_(paths_.error()) {}

void Watch::start() {
  started_ = true;
  if (error_ == 0) listen();
  look();
}

void Watch::note_loaded(const config::FilesRead& files, bool whole) {
  if (whole) {
    known_.clear();
    last_whole_.clear();
  } else {
    std::erase_if(known_, [&](const auto& one) { return !last_whole_.contains(one.first); });
  }
  for (const auto& [path, state] : files) {
    // A pipe has no second reader, and a device never comes to an end.
    if (state.error == 0 && !state.regular) {
      log_.warning("watch: {} cannot be watched: it is no file on a disk", path);
      continue;
    }
    known_.insert_or_assign(path, state);
    if (whole) last_whole_.insert(path);
  }
  if (started_ && !resting_) look();
}

// What happens to the files from here on is heard of; what has happened since they were read shows.
void Watch::look() {
  renew();
  const bool changed = std::ranges::any_of(known_, [](const auto& one) {
    return !config::look_at_file(one.first, one.second).says_the_same_as(one.second);
  });
  if (changed) stillness_.disturb();
}

void Watch::renew() {
  std::vector<std::string> paths;
  for (const auto& [path, state] : known_) paths.push_back(path);
  tell(paths_.watch(paths));
}

void Watch::tell(const std::vector<WatchedPaths::Fault>& faults) {
  std::string count =
      fmt::format("{} in {}", counted(known_.size(), "file"), counted(paths_.folders(), "folder"));
  if (error_ == 0 && count != told_count_) log_.info("watch: {}", count);
  told_count_ = std::move(count);
  std::string fault = error_ == 0 ? text_of(faults)
                                  : fmt::format("there is no inotify: {}{}",
                                                strerrordesc_np(error_), cure_of(error_));
  if (!fault.empty()) next_look_.arm(loop_.now() + kLook);
  if (!fault.empty() && fault != told_fault_)
    log_.warning("watch: {}; files are looked at every {} s instead", fault, kLook.count());
  told_fault_ = std::move(fault);
}

void Watch::compare() {
  if (resting_) return;
  // It reads what has changed; if it comes to nothing there is another look.
  if (reloads_.is_to_read()) return stillness_.disturb();
  renew();
  std::string first;
  std::size_t changed = 0;
  for (auto& [path, known] : known_) {
    config::FileState now = config::look_at_file(path, known);
    // What has changed is known once it has been read, and not before.
    if (now.says_the_same_as(known)) {
      known = now;
    } else if (changed++ == 0) {
      first = path;
    }
  }
  if (changed == 0) return log_.debug("watch: nothing has changed");
  if (changed == 1) {
    log_.info("watch: {} has changed: reloading", first);
  } else {
    log_.info("watch: {} and {} have changed: reloading", first,
              changed == 2 ? "another file" : fmt::format("{} more files", changed - 1));
  }
  reloads_.request();
}

void Watch::listen() {
  io_uring_prep_poll_add(&loop_.prepare(news_), paths_.descriptor(), POLLIN);
}

void Watch::on_news(uring::Completion completion) {
  if (stopping_) return ended_.set();
  if (completion.result < 0) {
    error_ = -completion.result;
    if (!resting_) look();
    return;
  }
  const WatchedPaths::News news = paths_.take();
  listen();
  if (resting_ || news == WatchedPaths::News::none) return;
  if (news == WatchedPaths::News::names) renew();
  stillness_.disturb();
}

void Watch::rest() {
  resting_ = true;
  stillness_.forget();
  next_look_.disarm();
}

uring::Task<> Watch::stop() {
  stopping_ = true;
  rest();
  loop_.cancel(news_);
  while (news_.in_flight()) {
    ended_.clear();
    co_await ended_.wait();
  }
}

}  // namespace gateway
