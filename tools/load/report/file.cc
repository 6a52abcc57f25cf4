#include "tools/load/report/file.hh"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace load::report {

std::expected<std::string, std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (!file) return std::unexpected(fmt::format("cannot be opened: {}", std::strerror(errno)));
  std::string text;
  char piece[16384];
  while (const std::size_t size = std::fread(piece, 1, sizeof piece, file.get())) {
    text.append(piece, size);
    if (text.size() > kFileBytesMax) {
      return std::unexpected(fmt::format("is larger than {} MiB", kFileBytesMax >> 20));
    }
  }
  if (std::ferror(file.get())) {
    return std::unexpected(fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  return text;
}

}  // namespace load::report
