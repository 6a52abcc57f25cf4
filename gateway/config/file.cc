#include "gateway/config/file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "gateway/config/account.hh"
#include "proto/digest.hh"

namespace gateway::config {
namespace {

using std::chrono::steady_clock;

// Of two changes within so long a file system's clock may show one: FAT has the coarsest.
constexpr std::int64_t kClockGrainNs = 2'000'000'000;

std::unexpected<std::string> misfit(std::string_view what, std::string_view cure) {
  return std::unexpected(fmt::format("{}; {}", what, cure));
}

std::unexpected<std::string> unreadable(int error, std::string_view cure) {
  return misfit(
      fmt::format("cannot be read: {}", strerrordesc_np(error)),
      error == EACCES ? fmt::format("let {} read it", who_opens_files()) : std::string(cure));
}

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

// All but the content.
FileState state_by(const struct stat& status) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const FileState::Identity identity{.device = status.st_dev,
                                     .inode = status.st_ino,
                                     .size_bytes = status.st_size,
                                     .modified_ns = nanoseconds(status.st_mtim),
                                     .changed_ns = nanoseconds(status.st_ctim)};
  return {.regular = S_ISREG(status.st_mode),
          .settled = identity.changed_ns + kClockGrainNs < nanoseconds(now),
          .identity = identity};
}

void note(const std::string& content, FileState& state) {
  proto::Sha256 digest;
  digest.update(std::as_bytes(std::span(content)));
  state.digest = digest.finish();
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

// Or errno.
std::expected<struct stat, int> status_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::unexpected(errno);
  return status;
}

// A folder, a socket, a device: whether it can be opened or not.
FileState state_of_other(const struct stat& status) {
  FileState state = state_by(status);
  state.error = S_ISDIR(status.st_mode) ? EISDIR : EIO;
  return state;
}

FileState state_of_unopened(const std::string& path, int error) {
  const auto status = status_of(path);
  if (status && !state_by(*status).regular) return state_of_other(*status);
  return {.error = error};
}

}  // namespace

std::expected<std::string, std::string> read_small_file(const std::string& path,
                                                        const FileWords& words,
                                                        std::chrono::milliseconds patience,
                                                        FileState* state) {
  FileState unwanted;
  FileState& noted = state == nullptr ? unwanted : *state;
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) {
    const int error = errno;
    noted = state_of_unopened(path, error);
    errno = error;
    if (errno == ENOENT) return std::unexpected(std::string(words.if_absent));
    if (errno == ENXIO) return misfit("is a socket, or a device that is not there", words.cure);
    return unreadable(errno, words.cure);
  }
  struct stat status {};
  fstat(descriptor, &status);
  noted = state_by(status);
  std::expected<std::string, std::string> text;
  if (S_ISDIR(status.st_mode)) {
    text = misfit("is a folder", words.cure);
  } else {
    text = read_to_end(descriptor, status.st_mode, words.cure, patience);
  }
  close(descriptor);
  if (!text) noted.error = S_ISDIR(status.st_mode) ? EISDIR : EIO;
  if (text && state != nullptr) note(*text, noted);
  return text;
}

FileState look_at_file(const std::string& path, const FileState& earlier) {
  const auto status = status_of(path);
  if (!status) return {.error = status.error()};
  FileState now = state_by(*status);
  if (!now.regular) return state_of_other(*status);
  if (earlier.regular && earlier.settled && earlier.identity == now.identity) return earlier;
  (void)read_small_file(path, {}, std::chrono::milliseconds(0), &now);
  return now;
}

}  // namespace gateway::config
