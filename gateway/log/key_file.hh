// The file of TLS secrets ([log] tls_keys), which the log's thread writes beside the log: whole
// lines, as they came. Nobody else's to read: a file that others may read is refused. Which file it
// is may be said by any thread; all else is for the log's thread alone.
#pragma once

#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

// Whether it could be written, without making it; the error is a whole sentence.
std::expected<void, std::string> check_key_file(const std::string& path);

// What has to be said wherever it is on.
std::string told_of_tls_keys(const std::string& path);

class KeyFile {
 public:
  KeyFile() = default;
  ~KeyFile();
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;

  // Any thread: this one from the next turn on, opened anew if it is the same; empty: none. The
  // first opens it at once, as whom the caller is; the error is a whole sentence.
  std::expected<void, std::string> want_now(const std::string& path);
  void want(std::string path);

  void add(std::string_view line);
  // Once a turn: what was added goes to the file that was there, or to the one that is wanted. A
  // sentence of what the log has to be told; empty: nothing.
  std::string take_turn();

 private:
  std::string write();
  std::string open_wanted();
  void close();

  struct Wanted {
    std::string path;
    int descriptor = -1;  // if it is open already
  };
  std::mutex mutex_;
  std::optional<Wanted> wanted_;  // under the mutex

  int descriptor_ = -1;
  std::string path_;
  std::string lines_;
  std::uint64_t lost_ = 0;    // lines that the file did not take
  bool inside_line_ = false;  // it has taken a part of one
};

}  // namespace gateway
