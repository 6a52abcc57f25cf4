// Where the log goes: stderr, or what a path names: a file, a device such as /dev/null, a FIFO.
// Opening waits for nobody. Writing waits for as long as whoever reads it likes, so it is for the
// log's own thread only. Owns the descriptor, unless it is that of stderr.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "gateway/log/targets.hh"

namespace gateway {

// Whether LogFile::open would take the path, without making the file; the error is a whole sentence
// that names it, and the cure.
std::expected<void, std::string> check_log_file(const std::string& path);

class LogFile {
 public:
  // `file` is a path, or "stderr". The error is a whole sentence, as above.
  static std::expected<LogFile, std::string> open(const std::string& file);
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&&) = delete;
  ~LogFile();

  // Takes the other's place; what was open here is closed.
  void take_over(LogFile other);

  bool reaches_stderr() const;  // under whatever name; any thread

  struct Written {
    std::size_t bytes;
    int error;  // an errno, where they are not all
  };
  Written write(std::string_view text);

 private:
  explicit LogFile(int descriptor) : descriptor_(descriptor) {}

  std::atomic<int> descriptor_;
};

// Writes to stderr what fits in time, for those that must not hang because nobody reads it.
void write_to_stderr(std::string_view text, std::chrono::milliseconds patience);

}  // namespace gateway
