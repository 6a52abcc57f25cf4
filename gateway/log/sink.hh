// Where lines end up: a file, or the socket of syslog or of the journal. Each takes entries one by
// one, and writes at the latest when it is flushed; what cannot be written is counted, and told
// once lines get through again. For the log's own thread.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/log/render.hh"
#include "gateway/log/targets.hh"

namespace gateway {

class LogSink {
 public:
  // `target` is LogTargets::file, or access_file. The error is a whole sentence that names it, and
  // the cure.
  static std::expected<std::unique_ptr<LogSink>, std::string> open(const std::string& target,
                                                                   const LogTargets& targets);
  virtual ~LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

  virtual void add(const LogEntry& entry) = 0;
  virtual void flush() = 0;
  virtual bool reaches_stderr() const { return false; }

  // Lines that were lost since it was opened.
  std::uint64_t lost() const { return lost_; }
  // It takes the other's place: what that has lost, and not yet told, is told here.
  void succeed(const LogSink& other);

 protected:
  LogSink() = default;
  void note_lost(std::uint64_t lines, int error);
  void note_told() { untold_ = 0; }
  bool has_untold() const { return untold_ > 0; }
  // "3 log lines may be missing before this one: No space left on device".
  std::string missing() const;

 private:
  std::uint64_t lost_ = 0;
  std::uint64_t untold_ = 0;
  std::string why_;
};

// Whether open() would take the target, without making a file.
std::expected<void, std::string> check_log_target(const std::string& target,
                                                  const LogTargets& targets);

}  // namespace gateway
