#include "gateway/admin/feed_talk.hh"

#include <utility>

#include "gateway/link/write_all.hh"
#include "proto/ws/close.hh"
#include "proto/ws/frame.hh"

namespace gateway::admin {

FeedTalk::FeedTalk(uring::Loop& loop, Link& client, Feed feed)
    : loop_(loop),
      client_(client),
      feed_(std::move(feed)),
      timer_(*this, loop.timers()),
      late_(*this, loop.timers()),
      due_(loop.ready()),
      ended_(loop.ready()),
      telling_(tell()) {}

void FeedTalk::start() {
  due_.set();
  telling_.start();
}

bool FeedTalk::take(Bytes received) {
  received_.assign(proto::as_text(received));
  reader_.feed(std::as_writable_bytes(std::span(received_)));
  while (const auto event = reader_.next()) {
    if (event->kind == ws::Event::Kind::kClose) {
      close_ = proto::as_text(ws::make_close(reader_.close_seen()->code).bytes());
      return false;
    }
    // The newest one alone has to be answered (RFC 6455 section 5.5.3).
    if (event->kind == ws::Event::Kind::kPing)
      pong_ = proto::as_text(ws::make_pong(event->payload).bytes());
  }
  due_.set();
  if (!reader_.violation()) return true;
  close_ = proto::as_text(ws::make_close(ws::close_code(*reader_.violation())).bytes());
  return false;
}

bool FeedTalk::close(std::uint16_t code, std::string_view reason) {
  if (std::exchange(stopping_, true)) return false;
  close_ = proto::as_text(ws::make_close(code, reason).bytes());
  due_.set();
  return true;
}

uring::Task<> FeedTalk::stop() {
  stopping_ = true;
  due_.set();
  co_await ended_.wait();
  timer_.disarm();
  late_.disarm();
}

void FeedTalk::on_time() {
  is_time_ = true;
  due_.set();
}

uring::Task<> FeedTalk::tell() {
  while (!stopping_) {
    co_await due_.wait();
    due_.clear();
    write_control();
    if (std::exchange(is_time_, false) && !stopping_) {
      co_await tell_what_there_is();
      timer_.arm(loop_.now() + feed_.every);
    }
  }
  write_control();
  ended_.set();
}

uring::Task<> FeedTalk::tell_what_there_is() {
  for (unsigned told = 0; told < kMessagesAtOnce && !stopping_; ++told) {
    if (client_.send_failed() || client_.end() == uring::LinkEnd::kAborted) co_return;
    auto message = feed_.next();
    if (!message) co_return;
    late_.arm(loop_.now() + kPatience);
    co_await write_message(*std::move(message));
    late_.disarm();
    write_control();
  }
}

uring::Task<> FeedTalk::write_message(std::string text) {
  const auto header =
      ws::encode_header({.opcode = ws::Opcode::kText, .payload_bytes = text.size()});
  client_.write(header.bytes());
  co_await write_all(client_, text);
}

void FeedTalk::write_control() {
  // Who takes nothing is answered when it does, and then to its newest ping alone.
  if (!pong_.empty() && !client_.has_unsent()) {
    client_.write(proto::as_bytes(std::string_view(pong_)));
    pong_.clear();
  }
  if (!stopping_ || close_.empty()) return;
  client_.write(proto::as_bytes(std::string_view(close_)));
  close_.clear();
}

}  // namespace gateway::admin
