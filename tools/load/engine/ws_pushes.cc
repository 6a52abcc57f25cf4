// What a server sends unasked: counted, and, where it says when it was sent, timed. Numbers come
// with the mark only: what carries none can be missing without anybody knowing.
#include "tools/load/engine/ws_connection.hh"

namespace load {

void WsConnection::end_push(bool text) {
  const Plan& plan = shared_.plan;
  ++tally().counts.delivered;
  tally().counts.received_bytes += received_;
  if (!plan.sent_at) return;
  if (plan.sent_at->pointer) return look_when_sent();
  const auto mark = decode_mark(proto::Bytes(first_).first(mark_bytes(received_)), text);
  if (!mark || !mark->time) return fail("a push without a mark");
  note_number(mark->number);
  note_delivery(*mark->time);
}

void WsConnection::note_number(std::uint64_t number) {
  using Kind = PushSequence::Kind;
  if (!pushes_) {
    pushes_ = std::make_unique<PushSequence>();
    // What came between steps is not known.
    if (!shared_.plan.steps.empty()) pushes_->begin_anywhere();
  }
  Counts& counts = tally().counts;
  switch (pushes_->take(number, shared_.now())) {
    case Kind::kNext:
      break;
    case Kind::kReordered:
      ++counts.reordered;
      break;
    case Kind::kLate:
      ++counts.late;
      break;
    case Kind::kDuplicate:
      ++counts.duplicated;
      break;
    case Kind::kAstray:
      ++counts.unexpected;
      fail("a push with a number far from the others", std::to_string(number));
      break;
  }
}

void WsConnection::give_up_pushes_before(Time time) {
  if (pushes_) tally().counts.undelivered += pushes_->give_up_before(time);
}

void WsConnection::look_when_sent() {
  const JsonPointer& pointer = *shared_.plan.sent_at->pointer;
  JsonScalar time;
  const bool is_json = find_scalars(reply_, {&pointer, 1}, {&time, 1});
  const auto unix_time = parse_unix_time(time.text);
  if (!unix_time) {
    return fail(is_json ? "no Unix time at " + pointer.text() : "a message with a time is not JSON",
                reply_);
  }
  note_delivery(Time(*unix_time - shared_.unix_offset));
}

// A time that is not over yet says nothing of how long it took, nor would 0.
void WsConnection::note_delivery(Time sent) {
  // The loop's time is that of its turn; this may have been sent since.
  const Time now = sent > shared_.now() ? uring::Clock::now() : shared_.now();
  if (sent <= now) return tally().timing(Timing::kDelivery).add(now - sent);
  const auto ahead = std::chrono::duration_cast<std::chrono::microseconds>(sent - now);
  fail("a time in the future (clocks differ)",
       std::to_string(ahead.count()) + " us ahead: " + target_.target.text);
}

}  // namespace load
