// What a Link counts (uring/link.hh): once per send, per buffer that was received, and per time
// that it was held back; of itself, of its side, and for who has named himself.
#pragma once

#include "uring/link.hh"

namespace uring {

template <class Session, class Sink>
void Link<Session, Sink>::note_held_back(std::uint32_t time_ms) {
  held_back_ms_ += time_ms;
  for (LinkSends* const counted : {static_cast<LinkSends*>(counts()), sends_}) {
    if (counted == nullptr) continue;
    counted->held_back.add();
    counted->held_back_ms.add(time_ms);
  }
}

template <class Session, class Sink>
void Link<Session, Sink>::note_received(std::size_t bytes) {
  received_bytes_ += bytes;
  LinkCounts* const counted = counts();
  if (counted == nullptr) return;
  counted->receives.add();
  counted->received_bytes.add(bytes);
}

template <class Session, class Sink>
void Link<Session, Sink>::note_sent(std::size_t bytes) {
  sent_bytes_ += bytes;
  for (LinkSends* const counted : {static_cast<LinkSends*>(counts()), sends_}) {
    if (counted == nullptr) continue;
    counted->sends.add();
    counted->sent_bytes.add(bytes);
  }
}

}  // namespace uring
