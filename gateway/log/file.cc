#include "gateway/log/file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace gateway {
namespace {

constexpr mode_t kFileMode = 0666;  // less the umask
constexpr int kLinksMax = 40;       // as the kernel's

std::unexpected<std::string> unwritable(const std::string& path, int error) {
  std::string text =
      fmt::format("log file '{}' cannot be written: {}", path, strerrordesc_np(error));
  if (error == EACCES || error == EPERM) text += "; let the gateway's user write there";
  return std::unexpected(std::move(text));
}

// Of what is there already.
std::expected<void, std::string> check_kind(const std::string& path, mode_t mode) {
  if (S_ISREG(mode) || S_ISCHR(mode) || S_ISFIFO(mode)) return {};
  if (S_ISDIR(mode)) return std::unexpected(fmt::format("'{}' is a folder, not a log file", path));
  return std::unexpected(fmt::format("log file '{}' is a {}: name a file, or \"stderr\"", path,
                                     S_ISSOCK(mode) ? "socket" : "block device"));
}

bool may_write(const char* path, int how) {
  return faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0;
}

constexpr int kFlags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_APPEND;

int open_existing(const std::string& path, mode_t mode) {
  // Opened for both, a FIFO needs no reader to be there: one may come, go, and come again.
  return ::open(path.c_str(), kFlags | (S_ISFIFO(mode) ? O_RDWR : O_WRONLY));
}

int open_without_waiting(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) {
    // With O_CREAT the kernel would refuse some that are there: others' files in a folder such as
    // /tmp (fs.protected_regular).
    const int descriptor = open_existing(path, status.st_mode);
    if (descriptor >= 0 || errno != ENOENT) return descriptor;
  }
  return ::open(path.c_str(), kFlags | O_WRONLY | O_CREAT, kFileMode);
}

// Of a file that is there. Only a plain file is opened for it: others may notice.
bool can_be_opened(const std::string& path, mode_t mode) {
  if (!S_ISREG(mode)) return may_write(path.c_str(), S_ISFIFO(mode) ? R_OK | W_OK : W_OK);
  const int descriptor = open_existing(path, mode);
  if (descriptor >= 0) close(descriptor);
  return descriptor >= 0;
}

// Where a file would be made that is not there: behind the links.
std::filesystem::path behind_links(std::filesystem::path path) {
  std::error_code failure;
  for (int links = 0; links < kLinksMax; ++links) {
    const auto target = std::filesystem::read_symlink(path, failure);
    if (failure) break;
    path = path.parent_path() / target;
  }
  return path;
}

int wait_for_room(int descriptor, int milliseconds) {
  pollfd room{descriptor, POLLOUT, 0};
  return poll(&room, 1, milliseconds);
}

}  // namespace

std::expected<void, std::string> check_log_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) {
    if (auto fit = check_kind(path, status.st_mode); !fit) return fit;
    if (!can_be_opened(path, status.st_mode)) return unwritable(path, errno);
    return {};
  }
  if (errno != ENOENT && errno != ENOTDIR) return unwritable(path, errno);
  const std::string folder = behind_links(path).parent_path().string();
  std::error_code failure;
  if (!std::filesystem::is_directory(folder, failure))
    return std::unexpected(fmt::format("there is no folder '{}' for the log file", folder));
  if (!may_write(folder.c_str(), W_OK | X_OK)) return unwritable(path, errno);
  return {};
}

std::expected<LogFile, std::string> LogFile::open(const std::string& file) {
  if (file == kStderrName) return LogFile(STDERR_FILENO);
  const int descriptor = open_without_waiting(file);
  if (descriptor < 0) {
    const int error = errno;
    if (auto fit = check_log_file(file); !fit) return std::unexpected(fit.error());
    return unwritable(file, error);
  }
  LogFile opened(descriptor);
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return unwritable(file, errno);
  if (auto fit = check_kind(file, status.st_mode); !fit) return std::unexpected(fit.error());
  fcntl(descriptor, F_SETFL, O_APPEND);  // from here on the log's thread may wait
  return opened;
}

LogFile::LogFile(LogFile&& other) noexcept : descriptor_(other.descriptor_.exchange(-1)) {}

LogFile::~LogFile() {
  if (descriptor_ >= 0 && descriptor_ != STDERR_FILENO) close(descriptor_);
}

void LogFile::take_over(LogFile other) {
  other.descriptor_ = descriptor_.exchange(other.descriptor_);
}

bool LogFile::reaches_stderr() const {
  struct stat ours {};
  struct stat other {};
  return fstat(descriptor_, &ours) == 0 && fstat(STDERR_FILENO, &other) == 0 &&
         ours.st_dev == other.st_dev && ours.st_ino == other.st_ino;
}

LogFile::Written LogFile::write(std::string_view text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t done = ::write(descriptor_, text.data() + written, text.size() - written);
    if (done >= 0) {
      written += static_cast<std::size_t>(done);
    } else if (errno == EAGAIN) {
      wait_for_room(descriptor_, -1);  // others have stderr, too, and may have set it so
    } else if (errno != EINTR) {
      return {written, errno};
    }
  }
  return {written, 0};
}

void write_to_stderr(std::string_view text, std::chrono::milliseconds patience) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + patience;
  while (!text.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    const int room = wait_for_room(STDERR_FILENO, std::max(0, static_cast<int>(left.count())));
    if (room == 0) return;
    // A pipe with room at all takes so much at once.
    const std::size_t piece = std::min<std::size_t>(text.size(), PIPE_BUF);
    const ssize_t done = room < 0 ? -1 : ::write(STDERR_FILENO, text.data(), piece);
    if (done > 0) {
      text.remove_prefix(static_cast<std::size_t>(done));
    } else if (done == 0 || (errno != EAGAIN && errno != EINTR) || left.count() <= 0) {
      return;
    }
  }
}

}  // namespace gateway
