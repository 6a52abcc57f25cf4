#include "gateway/process/descriptor_reader.hh"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace gateway {

DescriptorReader::DescriptorReader(uring::Loop& loop, int descriptor, std::size_t bytes,
                                   Heard heard)
    : loop_(loop),
      descriptor_(descriptor),
      buffer_(bytes, '\0'),
      heard_(std::move(heard)),
      idle_(loop.ready()) {}

DescriptorReader::~DescriptorReader() {
  close(descriptor_);
}

void DescriptorReader::read() {
  io_uring_prep_read(&loop_.prepare(read_), descriptor_, buffer_.data(),
                     static_cast<unsigned>(buffer_.size()), 0);
}

void DescriptorReader::on_read(uring::Completion completion) {
  if (stopping_) return idle_.set();
  if (completion.result == -EINTR || completion.result == -EAGAIN) return read();
  if (completion.result <= 0) {
    ended_ = true;
    return heard_({});
  }
  heard_({buffer_.data(), static_cast<std::size_t>(completion.result)});
  if (!stopping_) read();
}

uring::Task<> DescriptorReader::stop() {
  stopping_ = true;
  loop_.cancel(read_);
  while (read_.in_flight()) {
    idle_.clear();
    co_await idle_.wait();
  }
}

}  // namespace gateway
