// Reads a pipe or a socket of packets on a loop, for as long as there is something: each piece is
// told, and the end as an empty one, once. The descriptor is its own.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "uring/loop.hh"
#include "uring/task.hh"

namespace gateway {

class DescriptorReader {
 public:
  using Heard = std::function<void(std::string_view piece)>;

  // A packet of more than `bytes` would be cut.
  DescriptorReader(uring::Loop& loop, int descriptor, std::size_t bytes, Heard heard);
  ~DescriptorReader();  // after stop(), where it was started
  DescriptorReader(const DescriptorReader&) = delete;
  DescriptorReader& operator=(const DescriptorReader&) = delete;

  void start() { read(); }
  bool ended() const { return ended_; }
  int descriptor() const { return descriptor_; }
  // Nothing is told any more; awaits what is in flight.
  uring::Task<> stop();

 private:
  void read();
  void on_read(uring::Completion completion);

  uring::Loop& loop_;
  const int descriptor_;
  std::string buffer_;
  const Heard heard_;
  uring::OperationMember<&DescriptorReader::on_read> read_{*this};
  uring::Event idle_;
  bool ended_ = false;
  bool stopping_ = false;
};

}  // namespace gateway
