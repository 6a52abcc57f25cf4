#include "gateway/process/loader.hh"

#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <system_error>
#include <utility>

#include "uring/check.hh"

namespace gateway {
namespace {

constexpr int kNicest = 19;

}  // namespace

Loader::Loader(Read read, uring::Bell& bell) : read_(std::move(read)), results_(bell, 1) {}

Loader::~Loader() {
  if (thread_.joinable()) thread_.join();
}

int Loader::begin() {
  CHECK(!loads(), "one load at a time");
  try {
    thread_ = std::thread([this] {
      setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNicest);
      const bool posted = results_.post(read());
      CHECK(posted, "there is room for what one load gives");
    });
  } catch (const std::system_error& failure) {
    return failure.code().value();
  }
  return 0;
}

// Whatever goes wrong there is no reason for the process to end.
Loader::Loaded Loader::read() const {
  config::FilesRead files;
  try {
    Result config = read_(files);
    return {std::move(config), std::move(files)};
  } catch (const std::exception& failure) {
    return {std::unexpected(config::Errors{{"the configuration", {}, failure.what()}}),
            std::move(files)};
  }
}

std::optional<Loader::Loaded> Loader::take() {
  for (Loaded& result : results_.take()) {
    thread_.join();
    return std::move(result);
  }
  return std::nullopt;
}

}  // namespace gateway
