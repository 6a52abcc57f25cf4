// A file that the configuration names, or that it is itself: read whole, once, by the main thread.
// Whatever kind of file it is, and whoever writes it, there is an end to the waiting and to the
// size. What it was then is noted, so that whoever watches it can tell whether it is another by
// now.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>

namespace gateway::config {

inline constexpr std::size_t kFileBytesMax = 1 << 20;
inline constexpr std::chrono::seconds kFilePatience{10};  // for what comes through a pipe

// What each use of a file says in its own way.
struct FileWords {
  std::string_view if_absent;
  std::string_view cure;  // where it is no file of this kind: "name a PEM file"
};

// What a file was at one time.
struct FileState {
  // Its content cannot have changed while all of this is as it was, but within the grain of the
  // file system's clock.
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size_bytes = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    auto operator<=>(const Identity&) const = default;
  };

  int error = 0;         // the errno of why it could not be read; 0: it was
  bool regular = false;  // a file on a disk: pipes and devices give what they hold once
  bool settled = false;  // the last change of it was not just before
  Identity identity;
  std::array<std::byte, 32> digest{};  // SHA-256 of what it held

  // Whoever reads both learns the same.
  bool says_the_same_as(const FileState& other) const {
    return error == other.error && digest == other.digest;
  }
};

// By absolute path: all files that one reading of a configuration has read, or would have.
using FilesRead = std::map<std::string, FileState>;

// Failures are words that fit behind the file's name: "cannot be read: Input/output error". `state`
// is what the file was, whether it could be read or not.
std::expected<std::string, std::string> read_small_file(
    const std::string& path, const FileWords& words,
    std::chrono::milliseconds patience = kFilePatience, FileState* state = nullptr);

// What it is now. It is read only where it may be another than `earlier`, and if it is a regular
// file.
FileState look_at_file(const std::string& path, const FileState& earlier);

}  // namespace gateway::config
