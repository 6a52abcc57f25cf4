#include "gateway/client/presence.hh"

#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

// Of the next requests, while this one is under way. One receive is for many of them.
constexpr std::size_t kInputBytes = 8192;
// Of whatever follows an upgrade: who reads that may pause.
constexpr std::size_t kUpgradedBytes = 4096;

}  // namespace

Presence::Presence(Connection& connection, ClientStream& stream)
    : connection_(connection), stream_(stream), grace_(*this, connection.shard().loop().timers()) {}

void Presence::watch() {
  read_later_ = false;
  if (stream_.has_next_input() && !connection_.client().receives()) {
    arm_grace(kPipelinedWatch);
  } else {
    connection_.client().watch_input(input_, upgrades_ ? kUpgradedBytes : kInputBytes);
  }
}

void Presence::watch_hangup(uring::Socket::Hangup of) {
  connection_.client().watch_hangup(hung_up_, of);
}

void Presence::watch_upload() {
  read_later_ = true;
  let_in();
  watch_hangup();
}

void Presence::let_in() {
  Link& client = connection_.client();
  if (client.receives()) client.watch_input(input_, 0);
}

void Presence::begin_reading() {
  read_ = true;
  connection_.client().unwatch_input();
  connection_.client().watch_hangup_when_held_back(hung_up_);
}

void Presence::unwatch() {
  connection_.client().unwatch_input();
  connection_.client().unwatch_hangup();
  grace_.disarm();
}

void Presence::arm_grace(std::chrono::milliseconds after) {
  grace_.arm(connection_.shard().loop().now() + after);
}

void Presence::on_input() {
  switch (connection_.client().take_input(connection_.input())) {
    case Link::Input::kNothing:
      return;
    case Link::Input::kBytes:
      return read_later_ ? let_in() : watch();
    case Link::Input::kEnd:
      if (!read_later_) note_closed();
      return;
  }
}

void Presence::on_hung_up() {
  if (connection_.client().peer_gone()) {
    return connection_.end({.reason = closed_ ? Reason::kClientLeft : Reason::kClientReset});
  }
  // A FIN behind a body is met when the body has been read.
  if (!read_) note_closed();
}

void Presence::note_closed() {
  Link& client = connection_.client();
  if (closed_) return;
  closed_ = true;
  if (client.end() != uring::LinkEnd::kNone && client.end() != uring::LinkEnd::kEndOfStream) {
    return connection_.end(connection_.how_client_left());
  }
  if (!stream_.can_send_ahead() && !stream_.has_next_input()) {
    sent_mark_ = client.sent_bytes();
    return arm_grace(kLeavingGrace);
  }
  stream_.send_ahead();
  watch_hangup(uring::Socket::Hangup::kOfAll);
}

void Presence::on_grace_over() {
  if (read_) return;
  if (!closed_) return watch_hangup(uring::Socket::Hangup::kOfStream);
  Link& client = connection_.client();
  const bool takes_more = client.has_unsent() || client.sent_bytes() != sent_mark_;
  if (!takes_more) return connection_.end({.reason = Reason::kClientLeft});
  watch_hangup(uring::Socket::Hangup::kOfAll);
}

}  // namespace gateway
