#include "gateway/process/pid_file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace gateway {
namespace {

constexpr mode_t kMode = 0644;
// What is made for others to write must not be a link of theirs to somewhere else.
constexpr int kFlags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

int open_as(const std::string& path, const std::optional<config::Account>& account) {
  {
    const config::ActingAs acting(account);
    const int descriptor = open(path.c_str(), kFlags | O_WRONLY | O_CREAT | O_TRUNC, kMode);
    if (descriptor >= 0 || errno != EACCES || !account) return descriptor;
  }
  const int descriptor = open(path.c_str(), kFlags | O_WRONLY | O_CREAT | O_TRUNC, kMode);
  // So that it can be emptied at the end.
  if (descriptor < 0 || fchown(descriptor, account->uid, account->gid) == 0) return descriptor;
  const int error = errno;
  close(descriptor);
  errno = error;
  return -1;
}

// Of the process that the file names; nothing if it names none.
std::optional<pid_t> pid_in(const std::string& path) {
  const int descriptor = open(path.c_str(), kFlags | O_RDONLY);
  if (descriptor < 0) return std::nullopt;
  std::array<char, 32> text{};
  const ssize_t size = read(descriptor, text.data(), text.size());
  close(descriptor);
  pid_t pid = 0;
  if (size <= 0) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + size, pid);
  if (error != std::errc()) return std::nullopt;
  return pid;
}

std::unexpected<std::string> unwritable(const std::string& path, int error) {
  std::string text =
      fmt::format("pid file '{}' cannot be written: {}", path, strerrordesc_np(error));
  if (error == ENOENT) text += "; make its folder first";
  if (error == EACCES || error == EPERM) text += "; let the gateway's user write there";
  return std::unexpected(std::move(text));
}

}  // namespace

std::expected<void, std::string> PidFile::check(const std::string& path) {
  struct stat status {};
  const bool is_there = lstat(path.c_str(), &status) == 0;
  if (!is_there && errno != ENOENT) return unwritable(path, errno);
  if (is_there && S_ISLNK(status.st_mode)) return unwritable(path, ELOOP);
  if (is_there && S_ISDIR(status.st_mode)) return unwritable(path, EISDIR);
  const std::string place = is_there ? path : std::filesystem::path(path).parent_path().string();
  if (faccessat(AT_FDCWD, place.c_str(), is_there ? W_OK : W_OK | X_OK, AT_EACCESS) != 0)
    return unwritable(path, errno);
  return {};
}

std::expected<std::unique_ptr<PidFile>, std::string> PidFile::write(
    const std::string& path, const std::optional<config::Account>& account) {
  const int descriptor = open_as(path, account);
  const std::string text = fmt::format("{}\n", getpid());
  int error = 0;
  if (descriptor < 0 || ::write(descriptor, text.data(), text.size()) < 0) error = errno;
  if (descriptor >= 0) close(descriptor);
  if (error == 0) return std::unique_ptr<PidFile>(new PidFile(path));
  return unwritable(path, error);
}

PidFile::~PidFile() {
  if (is_successors_ || pid_in(path_) != getpid()) return;
  // If neither can be, the number of a process that is no more is all that stays.
  [[maybe_unused]] const bool gone = unlink(path_.c_str()) == 0 || truncate(path_.c_str(), 0) == 0;
}

}  // namespace gateway
