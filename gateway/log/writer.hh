// The one thread that writes the log: drains every ring about 20 times a second and writes its
// lines, with their time and source, to stderr or a file; tells how many were dropped; and drains
// all once more when it stops. Owns the rings: every Log made here must be gone before it is.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gateway/log/level.hh"
#include "gateway/log/log.hh"
#include "gateway/log/ring.hh"

namespace spdlog::sinks {
class sink;
}

namespace gateway {

// Adds "2026-11-21T10:00:00.123Z info SOURCE TEXT\n".
void append_line(std::string& to, const LogRing::Record& record, std::string_view source);

class LogWriter {
 public:
  // `file` is a path, or "stderr". Starts the thread. Fails with words that name the file.
  static std::expected<std::unique_ptr<LogWriter>, std::string> start(const std::string& file,
                                                                      LogLevel level,
                                                                      size_t ring_bytes);
  ~LogWriter();  // stops, after a final drain
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // A log for one thread. `source` begins each of its lines: "shard=1".
  Log open(std::string source);

  // Writes all that was appended before the call; for the end of a process that will not unwind.
  void flush();

 private:
  struct Source {
    std::unique_ptr<LogRing> ring;
    uint64_t dropped_told = 0;
  };
  struct Line {
    int64_t time_ns;
    size_t order;  // of arrival: decides between equal times
    std::string text;
  };

  LogWriter(std::shared_ptr<spdlog::sinks::sink> sink, LogLevel level, size_t ring_bytes);
  void run();
  // With mutex_ held: the rings have one consumer at a time.
  void drain_all();
  void collect(Source& source);
  void write(std::string_view lines);

  const LogLevel level_;
  const size_t ring_bytes_;
  const std::shared_ptr<spdlog::sinks::sink> sink_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::vector<Source> sources_;
  std::vector<Line> lines_;  // of one drain, to be sorted by time
  uint64_t unwritten_ = 0;   // lines that the file did not take, not yet told
  std::string why_unwritten_;
  std::thread thread_;
};

}  // namespace gateway
