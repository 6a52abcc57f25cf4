#include "gateway/config/file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "gateway/config/account.hh"

namespace gateway::config {
namespace {

using std::chrono::steady_clock;

std::unexpected<std::string> misfit(std::string_view what, std::string_view cure) {
  return std::unexpected(fmt::format("{}; {}", what, cure));
}

std::unexpected<std::string> unreadable(int error, std::string_view cure) {
  return misfit(
      fmt::format("cannot be read: {}", strerrordesc_np(error)),
      error == EACCES ? fmt::format("let {} read it", who_opens_files()) : std::string(cure));
}

// Until there is something to read, or the end; false: the time is over.
bool wait_for_more(int descriptor, steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
  pollfd input{descriptor, POLLIN, 0};
  return left.count() > 0 && poll(&input, 1, static_cast<int>(left.count())) != 0;
}

std::expected<std::string, std::string> read_to_end(int descriptor, mode_t mode,
                                                    std::string_view cure,
                                                    std::chrono::milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  std::string text(kFileBytesMax + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = read(descriptor, text.data() + size, text.size() - size);
    if (count == 0) break;
    if (count > 0) {
      size += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      if (!wait_for_more(descriptor, deadline))
        return std::unexpected(
            fmt::format("did not come to its end within {} s: whoever writes it keeps it open",
                        std::chrono::ceil<std::chrono::seconds>(patience).count()));
    } else if (errno != EINTR) {
      return unreadable(errno, cure);
    }
  }
  if (size > kFileBytesMax) return misfit("is larger than 1MiB", cure);
  if (size == 0 && S_ISFIFO(mode)) return misfit("is a FIFO that nobody writes to", cure);
  text.resize(size);
  text.shrink_to_fit();  // it is kept
  return text;
}

}  // namespace

std::expected<std::string, std::string> read_small_file(const std::string& path,
                                                        const FileWords& words,
                                                        std::chrono::milliseconds patience) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) {
    if (errno == ENOENT) return std::unexpected(std::string(words.if_absent));
    if (errno == ENXIO) return misfit("is a socket, or a device that is not there", words.cure);
    return unreadable(errno, words.cure);
  }
  struct stat status {};
  fstat(descriptor, &status);
  std::expected<std::string, std::string> text;
  if (S_ISDIR(status.st_mode)) {
    text = misfit("is a folder", words.cure);
  } else {
    text = read_to_end(descriptor, status.st_mode, words.cure, patience);
  }
  close(descriptor);
  return text;
}

}  // namespace gateway::config
