// The one thread that writes the log: drains every ring about 20 times a second and writes its
// lines, with their time and source, to where they belong (LogTargets); tells how many were
// dropped; and drains all once more when it stops. Nobody waits longer than kLastSecond for it:
// where the log's reader stands still it is left behind, with the rings, which it owns. Every Log
// made here must be gone before the LogWriter is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "gateway/log/level.hh"
#include "gateway/log/log.hh"
#include "gateway/log/ring.hh"
#include "gateway/log/span_tap.hh"
#include "gateway/log/tail.hh"
#include "gateway/log/targets.hh"

namespace gateway {

class LogWriter {
 public:
  static constexpr std::chrono::milliseconds kLastSecond{1000};

  // Starts the thread. Fails with words that name the file, or with the cure where there can be no
  // thread.
  static std::expected<std::unique_ptr<LogWriter>, std::string> start(const LogTargets& targets,
                                                                      LogLevel level,
                                                                      size_t ring_bytes);
  ~LogWriter();  // stops, after a final drain
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // A log for one thread. `source` begins each of its lines: "shard=1".
  Log open(std::string source);

  // Has the thread open these for what is logged from here on; what was logged before goes to
  // where it went so far, as it did. A file that has been renamed is made anew. Where one cannot be
  // opened, its lines go on where they went, and a line says why. Any thread; waits for nothing.
  void reopen(LogTargets targets);

  // Which file gets what is logged as a secret; empty: none. The first opens it, as whom the caller
  // is, and its error is a whole sentence. The other one waits for nothing: where the thread cannot
  // open it the log says so.
  std::expected<void, std::string> start_keys(const std::string& file);
  void reopen_keys(std::string file);

  // What is logged from here on, by whomever. Any thread.
  void set_level(LogLevel level);

  // Waits until all that was appended before the call is written; false if that took too long.
  // Takes no lock and no memory: it may be called from a signal handler.
  bool flush();
  // The same, with a line of its own at the end. `words` outlive the process's end, which follows.
  bool flush_with(const char* words);

  // Lines that are in no log: they came faster than written, or where they belong took none. Any
  // thread.
  std::uint64_t dropped() const;
  // Spans that are in no line, and came faster than they were taken. Any thread.
  std::uint64_t dropped_spans() const;

  // Who gets the spans among what is logged; null: nobody does. Any thread.
  void set_span_tap(std::shared_ptr<SpanTap> tap);

  // What is written, for who looks at it meanwhile.
  LogTail& tail();

  bool reaches_stderr() const;
  bool is_this_thread() const;  // whose flush would wait for itself

 private:
  struct Work;

  LogWriter(std::shared_ptr<Work> work, std::thread thread)
      : work_(std::move(work)), thread_(std::move(thread)) {}

  // The thread's, too: it may be left behind.
  const std::shared_ptr<Work> work_;
  std::thread thread_;
};

}  // namespace gateway
