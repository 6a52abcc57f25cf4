#include "gateway/log/key_file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "gateway/log/file.hh"

namespace gateway {
namespace {

constexpr mode_t kOwnerOnly = 0600;

std::unexpected<std::string> refused(const std::string& path, std::string_view why) {
  return std::unexpected(fmt::format("key log file '{}' {}", path, why));
}

// Whose files this thread makes: at the start that may be another than who it is.
uid_t owner_of_new_files() {
  const auto uid = static_cast<uid_t>(setfsuid(static_cast<uid_t>(-1)));  // which changes nothing
  return uid == static_cast<uid_t>(-1) ? geteuid() : uid;  // where it may not even ask
}

std::expected<void, std::string> check_private(const std::string& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode) || status.st_nlink > 1)
    return refused(path, "is no regular file of one name: name another");
  if (status.st_uid != owner_of_new_files())
    return refused(path, "belongs to somebody else: remove it, or name another");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return refused(path, "is open to others: remove it, or 'chmod 600' it");
  return {};
}

// Without waiting: what is there may be no file at all.
std::expected<int, std::string> open_private(const std::string& path) {
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
  const int descriptor = ::open(path.c_str(), flags, kOwnerOnly);
  if (descriptor < 0)
    return refused(path, fmt::format("cannot be written: {}", strerrordesc_np(errno)));
  struct stat status {};
  fstat(descriptor, &status);
  if (auto fit = check_private(path, status); !fit) {
    ::close(descriptor);
    return std::unexpected(std::move(fit.error()));
  }
  return descriptor;
}

}  // namespace

std::expected<void, std::string> check_key_file(const std::string& path) {
  if (auto usable = check_log_file(path); !usable) return usable;
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return {};
  return check_private(path, status);
}

std::string told_of_tls_keys(const std::string& path) {
  return fmt::format(
      "the secrets of all TLS connections are written to '{}' ([log] tls_keys): whoever has that "
      "file can read what was sent; it is for debugging only",
      path);
}

KeyFile::~KeyFile() {
  close();
  if (wanted_ && wanted_->descriptor >= 0) ::close(wanted_->descriptor);
}

void KeyFile::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

std::expected<void, std::string> KeyFile::want_now(const std::string& path) {
  if (path.empty()) return {};
  const auto descriptor = open_private(path);
  if (!descriptor) return std::unexpected(descriptor.error());
  const std::lock_guard lock(mutex_);
  wanted_ = {path, *descriptor};
  return {};
}

void KeyFile::want(std::string path) {
  const std::lock_guard lock(mutex_);
  if (wanted_ && wanted_->descriptor >= 0) ::close(wanted_->descriptor);
  wanted_ = {std::move(path)};
}

void KeyFile::add(std::string_view line) {
  lines_.append(line).append("\n");
}

std::string KeyFile::take_turn() {
  std::string said = descriptor_ >= 0 ? write() : "";
  std::string other = open_wanted();
  if (said.empty() && other.empty() && descriptor_ >= 0) other = write();
  // Of secrets that nobody wants nothing is kept.
  explicit_bzero(lines_.data(), lines_.size());
  lines_.clear();
  return said.empty() || other.empty() ? said + other : said + "; " + other;
}

std::string KeyFile::open_wanted() {
  std::optional<Wanted> next;
  {
    const std::lock_guard lock(mutex_);
    next = std::exchange(wanted_, std::nullopt);
  }
  if (!next) return {};
  close();
  path_ = next->path;
  lost_ = 0;
  inside_line_ = false;
  descriptor_ = next->descriptor;
  if (descriptor_ >= 0 || path_.empty()) return {};
  const auto opened = open_private(path_);
  if (!opened) return opened.error() + "; no TLS secrets are written";
  descriptor_ = *opened;
  return {};
}

// A full disk: the loss is told when it begins and, with its number, when it is over.
std::string KeyFile::write() {
  if (inside_line_ && !lines_.empty()) lines_.insert(0, 1, '\n');
  std::string_view left = lines_;
  int error = 0;
  while (!left.empty() && error == 0) {
    const ssize_t done = ::write(descriptor_, left.data(), left.size());
    if (done >= 0) {
      left.remove_prefix(static_cast<std::size_t>(done));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  const std::size_t taken = lines_.size() - left.size();
  if (taken > 0) inside_line_ = lines_[taken - 1] != '\n';
  const bool had_lost = lost_ > 0;
  const bool wrote = !lines_.empty() && error == 0;
  if (error != 0) lost_ += static_cast<std::uint64_t>(std::ranges::count(left, '\n'));
  explicit_bzero(lines_.data(), lines_.size());
  lines_.clear();
  if (error != 0 && !had_lost)
    return fmt::format("key log file '{}' cannot be written: {}; TLS secrets are lost", path_,
                       strerrordesc_np(error));
  if (!wrote || !had_lost) return {};
  return fmt::format("key log file '{}' is written again: {} TLS secrets are missing", path_,
                     std::exchange(lost_, 0));
}

}  // namespace gateway
