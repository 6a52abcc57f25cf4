// Requests and replies by id. What has an id is the reply to the request that has it, in whatever
// order they come; what has none is a notification. Where the id is not to be read, or nobody's,
// nothing is answered: its request is lost when its time is over.
#include <array>

#include "tools/load/engine/ws_connection.hh"

namespace load {

std::size_t WsConnection::compose_request(std::uint64_t number) {
  const std::uint64_t size = shared_.plan.message.sizes.of_message(id_, number);
  composed_.resize(size);
  return write_request(number, size, composed_);
}

void WsConnection::end_reply() {
  using Kind = JsonScalar::Kind;
  const ReplyId& id = *shared_.plan.reply_id;
  const std::array pointers{id.pointer, id.kind.value_or(id.pointer)};
  std::array<JsonScalar, 2> found;
  Counts& counts = tally().counts;
  if (!find_scalars(reply_, pointers, found) && found[0].kind == Kind::kAbsent) {
    ++counts.unexpected;
    counts.received_bytes += received_;
    const bool cut = reply_.size() > kReplyBytesMax;
    return fail(cut ? "a reply above 1 MiB, with no id in that" : "a reply is not JSON", reply_);
  }
  const bool has_id = found[0].kind != Kind::kAbsent && found[0].kind != Kind::kNull;
  if (!has_id || (id.kind && found[1].text != id.kind_text)) {
    ++counts.delivered;
    counts.received_bytes += received_;
    if (shared_.plan.sent_at) look_when_sent();
    return;
  }
  const MessageFacts own{.connection = serial, .fields = fields_};
  const auto facts = id.form.match(found[0].text, &own);
  const bool ours = facts && facts->number && facts->connection.value_or(serial) == serial;
  auto verdict = ours ? window_.answer(*facts->number) : SequenceWindow::Verdict{};
  // They are asked for side by side: none has a turn that another one could take.
  using Verdict = SequenceWindow::Kind;
  if (verdict.kind == Verdict::kReordered) verdict.kind = Verdict::kAnswer;
  note(verdict, received_);
  if (verdict.kind == Verdict::kUnknown) fail("an id that no request has", reply_);
}

}  // namespace load
