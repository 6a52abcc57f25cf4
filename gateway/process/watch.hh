// `--watch`: the configuration and the files that it names are taken over again when one of them
// has changed.
//
//   something happens on the way to a file (WatchedPaths) --> still for a second (Stillness)
//     --> one says something else than when it was read last (FileState) --> a reload
//
// Every reload, by whomever it was asked for, tells what it has read, and what that was: so what is
// changed while it reads is found afterwards, and a reload that has read the change is no reason
// for another one. Of a configuration with errors not all files are known: those of the one before
// stay watched. Where inotify cannot watch, the files are looked at now and then.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/config/file.hh"
#include "gateway/log/log.hh"
#include "gateway/process/stillness.hh"
#include "gateway/process/watched_paths.hh"
#include "uring/loop.hh"
#include "uring/operation.hh"
#include "uring/task.hh"

namespace gateway {

class Watch {
 public:
  static constexpr std::chrono::seconds kLook{5};  // where it cannot hear of changes

  struct Reloads {
    std::function<void()> request;     // it may come at once or later
    std::function<bool()> is_to_read;  // one that reads the files, or will, and tells of it then
  };
  Watch(uring::Loop& loop, Log log, Reloads reloads);

  // The files of a configuration that was read; `whole`: it had no errors, so these are all.
  void note_loaded(const config::FilesRead& files, bool whole);
  // On the loop's thread, as whom the process has become; then it logs, too.
  void start();
  // No reload is asked for any more.
  void rest();
  uring::Task<> stop();

 private:
  void listen();
  void on_news(uring::Completion completion);
  void renew();
  void tell(const std::vector<WatchedPaths::Fault>& faults);
  void compare();
  void look();

  uring::Loop& loop_;
  Log log_;
  const Reloads reloads_;
  WatchedPaths paths_;
  config::FilesRead known_;           // each as it was read, or looked at since
  std::set<std::string> last_whole_;  // the files of the last configuration without errors
  Stillness stillness_;
  uring::OperationMember<&Watch::on_news> news_{*this};
  uring::TimerMember<&Watch::look> next_look_;
  uring::Event ended_;
  std::string told_count_;
  std::string told_fault_;
  int error_ = 0;  // of inotify as a whole
  bool started_ = false;
  bool resting_ = false;
  bool stopping_ = false;
};

}  // namespace gateway
