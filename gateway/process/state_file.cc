#include "gateway/process/state_file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "gateway/config/file.hh"

namespace gateway {
namespace {

std::unexpected<std::string> fault(const std::string& path, int error) {
  return std::unexpected(fmt::format("cannot write {}: {}", path, strerrordesc_np(error)));
}

// 0, or errno.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(descriptor, text.data(), text.size());
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  return fsync(descriptor) == 0 ? 0 : errno;
}

// So that the name is there after a loss of power, too.
int settle_folder(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const int error = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  return error;
}

}  // namespace

std::expected<void, std::string> write_state_file(const std::string& path, std::string_view text) {
  const std::string newer = path + ".new";
  const int descriptor =
      open(newer.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return fault(newer, errno);
  int error = fchmod(descriptor, 0600) == 0 ? 0 : errno;
  if (error == 0) error = write_all(descriptor, text);
  if (close(descriptor) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(newer.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    unlink(newer.c_str());
    return fault(path, error);
  }
  // From here on it is the newer one, whatever becomes of its name.
  (void)settle_folder(path);
  return {};
}

std::expected<std::string, std::string> read_state_file(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return "";
  auto text = config::read_small_file(
      path, {.if_absent = "there is no such file", .cure = "name a file that the gateway writes"});
  if (!text) return std::unexpected(text.error());
  return *std::move(text);
}

}  // namespace gateway
