// Reads the configuration on a thread of its own while the process serves: it may wait for disks
// and name servers, and looks at every certificate. Where nobody else needs the processor less, it
// yields to the shards.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "gateway/config/reader.hh"
#include "uring/mailbox.hh"

namespace gateway {

class Loader {
 public:
  using Result = std::expected<config::Config, config::Errors>;
  // Notes the files that it reads.
  using Read = std::function<Result(config::FilesRead&)>;
  struct Loaded {
    Result config;
    config::FilesRead files;
  };

  // The bell is rung when there is something to take(); it outlives this.
  Loader(Read read, uring::Bell& bell);
  ~Loader();  // waits for it, if it loads
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // One load at a time. 0, or the errno that keeps a thread from being made.
  [[nodiscard]] int begin();
  bool loads() const { return thread_.joinable(); }
  // What has been read, once.
  std::optional<Loaded> take();

 private:
  Loaded read() const;

  Read read_;
  uring::Mailbox<Loaded> results_;
  std::thread thread_;
};

}  // namespace gateway
