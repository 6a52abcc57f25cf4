// The pumps of a relay (gateway/websocket/relay.hh): what one side says is scanned, and what is
// valid of it passed on. A part of relay.cc.
#pragma once

#include <optional>

#include "gateway/link/link_end.hh"
#include "gateway/websocket/relay.hh"
#include "proto/ws/close.hh"

namespace gateway {

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::begin(auto& way, Bytes behind) {
  if (way.translated) {
    way.slow_pump = pump_translated(way, behind);
    way.slow_pump.start();
  } else {
    if (!behind.empty()) pass_on(way, behind);
    read_on(way);
  }
}

// The pump of nearly all: no coroutine, whose frame an idle WebSocket would hold.
template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::go_on(Party sender, Bytes bytes) {
  const auto go_on_in = [&](auto& way) {
    if (take(way, bytes)) read_on(way);
  };
  sender == Party::kClient ? go_on_in(to_upstream_) : go_on_in(to_client_);
}

// False: it was the last.
template <class Client, Opposite<Client> Upstream>
bool BasicRelay<Client, Upstream>::take(auto& way, Bytes bytes) {
  bytes.empty() ? end_pump(way) : pass_on(way, bytes);
  return !bytes.empty();
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::read_on(auto& way) {
  while (!is_metered(way)) {
    const std::optional<Bytes> bytes = way.from.read_for(way.to, way);
    if (!bytes || !take(way, *bytes)) return;
  }
  way.slow_pump = pump_metered(way);
  way.slow_pump.start();
}

// Of a client whose rates are limited: from when they are, to the end.
template <class Client, Opposite<Client> Upstream>
uring::Task<> BasicRelay<Client, Upstream>::pump_metered(auto& way) {
  for (;;) {
    const bool waits = is_metered(way) && may_pause();
    if (waits) co_await wait_for_allowance();
    const Bytes bytes = co_await next_of(way);
    if (bytes.empty()) break;
    pass_on(way, bytes);
  }
  end_pump(way);
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::end_pump(auto& way) {
  note_end_of_stream(way);
  way.finished = true;
  if (!to_upstream_.finished || !to_client_.finished) return;
  deadline_.disarm();
  finished_ = true;
  owner_.note_finished();
}

template <class Client, Opposite<Client> Upstream>
bool BasicRelay<Client, Upstream>::may_pass(auto& way) {
  if (way.to.send_failed()) {
    // Where it waits for the end of a frame there is nobody any more to wait for.
    is_stopping() ? close_towards(way) : stop(end_of_link(way.to, way.receiver(), owner_.detail()));
    return false;
  }
  if (watch_) watch_->note_heard(way.sender, loop_.now());
  return !way.close_passed;  // RFC 6455 section 5.5.1: nothing follows a close frame
}

// Writes on what is valid of `bytes`.
template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::pass_on(auto& way, Bytes bytes) {
  if (!may_pass(way)) return;
  scan(way, bytes);
  look_at_end(way);
}

// All that came has been passed on, or what came is not passed on any more.
template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::look_at_end(auto& way) {
  const bool ends = way.frames.close_seen() || way.frames.violation();
  if (watch_ && !is_stopping() && !ends) note_in_watch(way);
  if (way.frames.close_seen()) {
    note_close(way);
  } else if (const auto violation = way.frames.violation()) {
    if (is_stopping()) {  // the frame whose end it waited for will have none
      closing_->cut_short |= owes_close(way);
      return close_towards(way);
    }
    const bool client = way.sender == Party::kClient;
    stop({.reason = client ? Reason::kClientViolation : Reason::kUpstreamViolation,
          .close_code = ws::close_code(*violation),
          .detail = ws::describe(*violation)});
  } else if (way.frames.stopped()) {
    close_towards(way);
  }
}

template <class Client, Opposite<Client> Upstream>
void BasicRelay<Client, Upstream>::scan(auto& way, Bytes bytes) {
  way.frames.feed(bytes);
  for (;;) {
    while (const auto piece = next_piece(way)) {
      last_activity_ = loop_.now();
      way.to.write(piece->bytes);
    }
    if (!way.ping_due || is_stopping() || !way.frames.stopped()) return;
    ping(way);
    look_again();
  }
}

}  // namespace gateway
