// Messages that a template makes: how they are composed, what an echo of one says, and the steps
// that open a conversation before the load. A step's reply is bounded, and has the time of any
// answer; whatever is wrong with it ends the connection, and is told with the step's number.
#include <algorithm>
#include <cstring>

#include "tools/load/engine/ws_connection.hh"

namespace load {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kRoomMin = 4 * 1024;
// More than any Unix time in microseconds, and far from overflowing as nanoseconds.
constexpr std::uint64_t kTimeMaxUs = std::uint64_t{1} << 52;

}  // namespace

// Into composed_; gives its size.
std::size_t WsConnection::compose(const MessageTemplate& message, std::uint64_t number) {
  std::vector<std::byte>& memory = shared_.composing;
  if (memory.size() < message.bytes_max()) memory.resize(message.bytes_max());
  const std::size_t size = message.render(
      {.number = number, .connection = serial, .time_us = unix_us(), .fields = fields_},
      shared_.random, memory);
  composed_.assign(memory.begin(), memory.begin() + static_cast<std::ptrdiff_t>(size));
  return size;
}

std::uint64_t WsConnection::unix_us() const {
  const auto time = shared_.now().time_since_epoch() + shared_.unix_offset;
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

// Where a reply has not the template's form it is no echo: it answers the oldest message.
std::optional<Mark> WsConnection::echoed_mark() const {
  const MessageTemplate& message = *shared_.plan.message.composed;
  const MessageFacts own{.connection = serial, .fields = fields_};
  auto facts = message.match(reply_, &own);
  const bool may_be_others = shared_.plan.pattern == Pattern::kPublish;
  if (!facts && may_be_others) facts = message.match(reply_, nullptr);
  if (!facts || !facts->number) return std::nullopt;
  const bool ours = facts->connection.value_or(serial) == serial;
  Mark mark{.connection = ours ? id_ : ~id_, .number = *facts->number};
  if (facts->time_us) {
    const std::chrono::microseconds time(std::min(*facts->time_us, kTimeMaxUs));
    mark.time = Time(time - shared_.unix_offset);
  }
  return mark;
}

bool WsConnection::keeps_replies() const {
  const Plan& plan = shared_.plan;
  return prepares() || plan.reply_id || has_time_in_text() || plan.message.composed;
}

bool WsConnection::has_time_in_text() const {
  return shared_.plan.sent_at && shared_.plan.sent_at->pointer;
}

void WsConnection::keep_reply(proto::Bytes bytes) {
  // One byte more shows that it is too long.
  const Plan& plan = shared_.plan;
  const bool is_json = prepares() || plan.reply_id || has_time_in_text();
  std::size_t most = 1 + (is_json ? kReplyBytesMax : plan.message.composed->bytes_max());
  if (prepares() && plan.steps[step_].extractions.empty()) most = Tally::kExampleBytesMax;
  const std::size_t kept = std::min(bytes.size(), most - std::min(most, reply_.size()));
  reply_.append(reinterpret_cast<const char*>(bytes.data()), kept);
}

uring::Task<bool> WsConnection::prepare() {
  const Plan& plan = shared_.plan;
  fields_.resize(plan.fields.size());
  for (; prepares(); ++step_) {
    const Duration wait = plan.steps[step_].wait.draw(shared_.random);
    if (wait.count() > 0) {
      const bool over = co_await wait_out(wait);
      if (!over) co_return false;
    }
    allow(plan.answer_limit);
    const bool taken = co_await take_step();
    if (!taken) co_return false;
  }
  composed_ = {};
  reply_ = {};
  co_return true;
}

// What comes meanwhile belongs to no step.
uring::Task<bool> WsConnection::wait_out(Duration time) {
  pause(time);
  for (;;) {
    take_fed();
    const bool more = co_await read_more();
    if (!more) break;
  }
  const bool over = pause_is_over();
  if (!over) end_step_early();
  co_return over;
}

// Of what has come up to the end of a step's reply; what is behind it is the next step's. Pings are
// answered before it is open, too: steps may take longer than a server's patience.
void WsConnection::take_fed() {
  const bool in_step = in_step_;
  while (const auto event = next_event()) {
    take(*event);
    if (in_step && !in_step_) break;
  }
  if (pong_owed_ && link_.room() >= kRoomMin) write_pong();
}

// Precondition: all that had come was taken. False: nothing more comes.
uring::Task<bool> WsConnection::read_more() {
  if (inflate_fault_ || messages_.violation() || messages_.close_seen()) co_return false;
  const proto::MutableBytes bytes = tools::writable(co_await link_.read_once(kReadBytes));
  if (bytes.empty()) co_return false;
  messages_.feed(bytes);
  co_return true;
}

uring::Task<bool> WsConnection::take_step() {
  const Step& step = shared_.plan.steps[step_];
  if (step.send) {
    const bool written = co_await write_step(*step.send);
    if (!written) {
      fail(step_name() + "not taken: " + how_it_ended());
      co_return false;
    }
  }
  in_step_ = step.has_reply;
  while (in_step_) {
    take_fed();
    if (!in_step_) break;
    const bool more = co_await read_more();
    if (!more) {
      end_step_early();
      co_return false;
    }
  }
  co_return !step_failed_;
}

// What is behind a reply may lie in memory that the links of a shard share.
void WsConnection::keep_unread() {
  const proto::MutableBytes rest = messages_.take_unread();
  std::vector<std::byte> kept(rest.begin(), rest.end());
  behind_head_ = std::move(kept);
  messages_.feed(behind_head_);
}

// False: the connection has ended before.
uring::Task<bool> WsConnection::write_step(const MessageTemplate& message) {
  begin_message(compose(message, step_), shared_.now());
  while (writing_) {
    if (link_.send_failed() || link_.end() == uring::LinkEnd::kAborted) co_return false;
    if (link_.room() >= kRoomMin) {
      write_piece(link_.room());
    } else {
      keep_unread();
      co_await link_.drained();
    }
  }
  co_return true;
}

void WsConnection::end_step_reply() {
  in_step_ = false;
  const auto taken = extract(shared_.plan.steps[step_].extractions, reply_, fields_);
  if (taken) return;
  step_failed_ = true;
  fail(step_name() + taken.error(), reply_);
}

// The stream has ended instead of a reply.
void WsConnection::end_step_early() {
  if (inflate_fault_) {
    fail(step_name() + std::string(inflate_fault_->text));
  } else if (messages_.close_seen()) {
    const ws::ClosePayload& close = *messages_.close_seen();
    ++tally().closes_by_peer[close.code];
    fail(step_name() + "closed by the peer: " + std::to_string(close.code),
         std::string(close.reason()));
  } else if (messages_.violation()) {
    fail(step_name() + "violation: " + std::string(describe(*messages_.violation())));
  } else {
    fail(step_name() + (in_step_ ? "no reply: " : "while it waited: ") + how_it_ended());
  }
}

}  // namespace load
