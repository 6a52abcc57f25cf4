// A file that the configuration names, or that it is itself: read whole, once, by the main thread.
// Whatever kind of file it is, and whoever writes it, there is an end to the waiting and to the
// size.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
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

// Failures are words that fit behind the file's name: "cannot be read: Input/output error".
std::expected<std::string, std::string> read_small_file(
    const std::string& path, const FileWords& words,
    std::chrono::milliseconds patience = kFilePatience);

}  // namespace gateway::config
