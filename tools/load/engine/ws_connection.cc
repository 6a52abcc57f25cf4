#include "tools/load/engine/ws_connection.hh"

#include <algorithm>
#include <array>
#include <cstring>

#include "tools/common/pattern.hh"

namespace load {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kHeadBytesMax = 64 * 1024;
constexpr std::size_t kWorthWriting = 4 * 1024;
// A composed message or a reply that is larger gives its memory back.
constexpr std::size_t kTextKept = 16 * 1024;
constexpr std::chrono::milliseconds kServerEndsWithin{250};
constexpr std::size_t kPieceMax = 64 * 1024;
// What is compared of each end of a large piece.
constexpr std::size_t kSampleBytes = 64;

bool is_pattern(std::uint64_t offset, proto::Bytes bytes, bool text) {
  while (!bytes.empty()) {
    const proto::Bytes expected = tools::pattern_at(offset, bytes.size(), text);
    if (std::memcmp(expected.data(), bytes.data(), expected.size()) != 0) return false;
    bytes = bytes.subspan(expected.size());
    offset += expected.size();
  }
  return true;
}

bool sample_is_pattern(std::uint64_t offset, proto::Bytes bytes, bool text) {
  if (bytes.size() <= 2 * kSampleBytes) return is_pattern(offset, bytes, text);
  return is_pattern(offset, bytes.first(kSampleBytes), text) &&
         is_pattern(offset + bytes.size() - kSampleBytes, bytes.last(kSampleBytes), text);
}

}  // namespace

std::string upgrade_head(const Plan& plan, const Target& target) {
  std::string head = "GET " + target.path +
                     " HTTP/1.1\r\nHost: " + (plan.host.empty() ? target.authority : plan.host) +
                     "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\n";
  for (const auto& [name, value] : plan.headers) head += name + ": " + value + "\r\n";
  for (std::size_t i = 0; i < plan.subprotocols.size(); ++i) {
    head += (i == 0 ? "Sec-WebSocket-Protocol: " : ", ") + plan.subprotocols[i];
  }
  if (!plan.subprotocols.empty()) head += "\r\n";
  if (plan.compress) head += "Sec-WebSocket-Extensions: " + std::string(kDeflateOffers) + "\r\n";
  return head + "Sec-WebSocket-Key: ";
}

uring::Task<bool> WsConnection::upgrade() {
  std::array<std::byte, 16> nonce;
  for (std::byte& byte : nonce) byte = static_cast<std::byte>(shared_.random() & 0xff);
  const ws::Key key = ws::make_key(nonce);
  ws::HandshakeFields asked;
  write_upgrade(key, asked);

  std::vector<std::byte> received;
  http::ResponseHead head;
  for (;;) {
    const proto::Bytes bytes = co_await link_.read_once(kReadBytes);
    if (bytes.empty() || received.size() > kHeadBytesMax) {
      fail("upgrade: " + (bytes.empty() ? how_it_ended() : std::string("an endless head")));
      co_return false;
    }
    received.insert(received.end(), bytes.begin(), bytes.end());
    http::ResponseParser parser(head);
    const auto state = parser.parse(received);
    if (!state) {
      fail("upgrade: " + std::string(state.error().reason));
      co_return false;
    }
    if (*state == http::HeadState::kComplete) break;
  }
  co_return judge(received, head, asked, key);
}

void WsConnection::write_upgrade(const ws::Key& key, ws::HandshakeFields& asked) {
  link_.write(proto::as_bytes(target_.request));
  link_.write(proto::as_bytes(ws::as_text(key)));
  link_.write(proto::as_bytes("\r\n\r\n"));
  asked.add("Upgrade", "websocket");
  asked.add("Connection", "Upgrade");
  for (const std::string& name : shared_.plan.subprotocols) {
    asked.add("Sec-WebSocket-Protocol", name);
  }
  if (shared_.plan.compress) asked.add("Sec-WebSocket-Extensions", kDeflateOffers);
}

bool WsConnection::judge(proto::Bytes received, const http::ResponseHead& head,
                         const ws::HandshakeFields& asked, const ws::Key& key) {
  ws::HandshakeFields answered;
  for (const http::Field& field : head.fields.all()) {
    answered.add(field.name.in(received), field.value.in(received));
  }
  ++tally().statuses[std::min<std::size_t>(head.status, Tally::kStatuses - 1)];
  const auto agreed = ws::judge_response(head.status, answered, asked, ws::as_text(key));
  if (!agreed) {
    fail("upgrade: status " + std::to_string(head.status) + ", " + std::string(agreed.error()));
    return false;
  }
  agree_on(agreed->deflate);
  tally().timing(Timing::kUpgrade).add(shared_.now() - upgrade_began_);
  const proto::Bytes behind = received.subspan(head.bytes);
  behind_head_.assign(behind.begin(), behind.end());
  messages_.feed(behind_head_);
  return true;
}

// Reads until either side has said its close frame, or the connection has ended.
uring::Task<> WsConnection::converse() {
  if (compression_) ++tally().counts.compressed;
  for (;;) {
    while (const auto event = next_event()) take(*event);
    if (inflate_fault_) co_return end_for_fault();
    if (messages_.violation()) fail("violation: " + std::string(describe(*messages_.violation())));
    if (messages_.violation() || messages_.close_seen()) break;
    if (!behind_head_.empty()) behind_head_ = {};
    go_on();
    const proto::MutableBytes bytes = tools::writable(co_await link_.read_once(kReadBytes));
    if (bytes.empty()) break;
    messages_.feed(bytes);
  }
  if (messages_.close_seen()) {
    note_close(*messages_.close_seen());
    // The server is to end the connection first, so that TIME_WAIT is its (RFC 6455 section 7.1.1).
    if (in_order_) allow(kServerEndsWithin);
    while (in_order_) {
      const proto::Bytes bytes = co_await link_.read_once(kReadBytes);
      if (bytes.empty()) break;
    }
  } else if (!closing_ && !messages_.violation()) {
    ++tally().closes_by_peer[1006];
    fail("connection ended by the peer", how_it_ended() + ": " + target_.target.text);
  }
}

void WsConnection::note_close(const ws::ClosePayload& close) {
  // Only an answer to ours says that what came before it was read.
  in_order_ = closing_ && !goodbye_owed_;
  if (closing_) return;
  ++tally().closes_by_peer[close.code];
  if (!writing_) link_.write(ws::make_close(close.code, {}, next_mask_key()).bytes());
  fail("closed by the peer: " + std::to_string(close.code), close.reason());
}

// Nothing: all that has come is taken, or the stream has ended.
std::optional<ws::Event> WsConnection::next_event() {
  return inflate_fault_ ? std::nullopt : messages_.next();
}

void WsConnection::take(const ws::Event& event) {
  if (event.kind == ws::Event::Kind::kPing) return take_ping(event.payload);
  if (event.kind != ws::Event::Kind::kText && event.kind != ws::Event::Kind::kBinary) return;
  if (shared_.plan.compress) {
    received_wire_ = (event.first ? 0 : received_wire_) + event.payload.size();
    if (event.compressed) return take_compressed(event);
  }
  take_piece(event);
}

// Of a message, as it was before it was compressed.
void WsConnection::take_piece(const ws::Event& event) {
  const Plan& plan = shared_.plan;
  const bool text = event.kind == ws::Event::Kind::kText;
  if (event.first) {
    received_ = 0;
    wrong_content_ = false;
    reply_.clear();
  }
  const std::uint64_t before = received_;
  take_first(event.payload);
  received_ += event.payload.size();
  if (keeps_replies()) {
    keep_reply(event.payload);
  } else if (plan.pattern == Pattern::kEcho && window_.pending() > 0) {
    if (event.first && text != plan.message.text) fail("another kind of message");
    compare(event.payload, before, text);
  }
  if (!event.last) return;
  if (in_step_) {
    end_step_reply();
  } else if (!prepares()) {
    // What nobody awaits between the steps belongs to none of them.
    end_message(text);
  }
  if (reply_.capacity() > kTextKept) reply_ = {};
}

// Only the newest ping is answered (RFC 6455 section 5.5.3), and when there is room: a peer that
// floods them and reads nothing costs no memory.
void WsConnection::take_ping(proto::Bytes payload) {
  if (closing_) return;
  ping_.assign(payload.begin(), payload.end());
  pong_owed_ = true;
}

// A piece of a message, that came after so many bytes of it.
void WsConnection::compare(proto::Bytes piece, std::uint64_t before, bool text) {
  const SizeDistribution& sizes = shared_.plan.message.sizes;
  const std::size_t marked = mark_bytes(sizes.least());
  // Whether there is a mark is then known at the message's end only.
  if (marked != mark_bytes(sizes.most())) return;
  std::uint64_t number = short_number_;
  const auto mark = decode_mark(proto::Bytes(first_).first(marked), text);
  if (mark && received_ >= marked) number = mark->number;
  const std::size_t skipped =
      std::min<std::uint64_t>(piece.size(), before < marked ? marked - before : 0);
  const bool same = sample_is_pattern(number + before + skipped, piece.subspan(skipped), text);
  if (!same) wrong_content_ = true;
}

// Keeps the first bytes of a message, in which its mark is.
void WsConnection::take_first(proto::Bytes bytes) {
  if (received_ >= first_.size()) return;
  const std::size_t kept = std::min<std::size_t>(bytes.size(), first_.size() - received_);
  std::memcpy(first_.data() + received_, bytes.data(), kept);
}

void WsConnection::end_message(bool text) {
  const Plan& plan = shared_.plan;
  if (plan.compress) tally().counts.received_wire_bytes += received_wire_;
  if (plan.pattern == Pattern::kRequest) return end_reply();
  if (plan.pattern == Pattern::kPush) return end_push(text);
  const auto mark = plan.message.composed
                        ? echoed_mark()
                        : decode_mark(proto::Bytes(first_).first(mark_bytes(received_)), text);
  if (plan.pattern == Pattern::kPublish) {
    ++tally().counts.delivered;
    if (plan.sent_at) {
      look_when_sent();
    } else if (mark && mark->time) {
      note_delivery(*mark->time);
    }
    if (!mark || mark->connection != id_) {
      tally().counts.received_bytes += received_;
      return;
    }
  } else if (window_.next() == 0 || (mark && mark->connection != id_)) {
    ++tally().counts.unexpected;
    tally().counts.received_bytes += received_;
    return fail("a message that nobody sent");
  } else if (!plan.message.composed && received_ != expected_size(mark)) {
    fail("wrong length",
         failed_ ? std::string() : std::to_string(received_) + " bytes: " + target_.target.text);
  }
  if (wrong_content_) fail("wrong content");
  ++short_number_;
  const auto verdict = mark ? window_.answer(mark->number) : window_.answer_oldest();
  note(verdict, received_);
  if (verdict.kind == SequenceWindow::Kind::kUnknown) fail("a message that nobody sent");
}

bool WsConnection::answers_have_numbers() const {
  const Message& message = shared_.plan.message;
  if (shared_.plan.reply_id) return true;
  return message.composed ? message.composed->has_number() && message.composed->can_match()
                          : mark_bytes(message.sizes.least()) > 0;
}

void WsConnection::say_goodbye() {
  // Nothing else may stand within a message's frame.
  goodbye_owed_ = writing_;
  if (!writing_) write_goodbye();
}

void WsConnection::write_goodbye() {
  goodbye_owed_ = false;
  ++tally().closes_by_us[ws::kCloseNormal];
  link_.write(ws::make_close(ws::kCloseNormal, {}, next_mask_key()).bytes());
}

std::uint64_t WsConnection::next_size() {
  const Message& message = shared_.plan.message;
  const std::uint64_t number = window_.next();
  if (shared_.plan.reply_id && !message.composed) return compose_request(number);
  return message.composed ? compose(*message.composed, number)
                          : message.sizes.of_message(id_, number);
}

// Of an echo, as far as it can be told.
std::uint64_t WsConnection::expected_size(const std::optional<Mark>& mark) const {
  const SizeDistribution& sizes = shared_.plan.message.sizes;
  if (mark) return sizes.of_message(id_, mark->number);
  return std::clamp(received_, sizes.least(), sizes.most());
}

bool WsConnection::write_due() {
  const std::uint64_t most = message_bytes_max();
  while (writing_ || (pong_owed_ && !closing_) || may_send()) {
    const std::size_t room = link_.room();
    if (room < std::min<std::uint64_t>(kWorthWriting, most + ws::kControlFrameBytesMax)) {
      return false;
    }
    if (pong_owed_ && !writing_) {
      write_pong();
      continue;
    }
    if (!writing_) {
      const std::uint64_t size = next_size();
      const Taken taken = take_due(size);
      begin_message(size, taken.due);
      send_number_ = taken.number;
    }
    write_piece(room);
  }
  if (goodbye_owed_) write_goodbye();
  return true;
}

void WsConnection::begin_message(std::uint64_t size_bytes, Time due) {
  writing_ = true;
  send_size_ = size_bytes;
  written_ = 0;
  due_ = due;
  mask_key_ = next_mask_key();
  if (compression_ && compression_->begin_message(size_bytes)) return;
  if (shared_.plan.compress && !prepares()) tally().counts.sent_wire_bytes += size_bytes;
}

void WsConnection::write_pong() {
  pong_owed_ = false;
  link_.write(ws::make_pong(ping_, next_mask_key()).bytes());
}

ws::Opcode WsConnection::opcode() const {
  const bool text = shared_.plan.message.text || !composed_.empty();
  return text ? ws::Opcode::kText : ws::Opcode::kBinary;
}

void WsConnection::write_piece(std::size_t room) {
  if (compression_ && compression_->is_deflating()) return write_compressed(room);
  std::vector<std::byte>& scratch = shared_.scratch;
  scratch.resize(ws::kHeaderBytesMax + kPieceMax);
  std::size_t front = 0;
  if (written_ == 0) {
    const ws::EncodedHeader header = ws::encode_header(
        {.opcode = opcode(), .masked = true, .mask_key = mask_key_, .payload_bytes = send_size_});
    front = header.size;
    std::memcpy(scratch.data(), header.storage.data(), header.size);
  }
  const std::size_t wanted =
      std::min<std::uint64_t>({send_size_ - written_, room - front, kPieceMax});
  const proto::MutableBytes piece = proto::MutableBytes(scratch).subspan(front, wanted);
  fill(piece);
  ws::apply_mask(piece, mask_key_, written_);
  link_.write(proto::Bytes(scratch).first(front + wanted));
  written_ += wanted;
  writing_ = written_ < send_size_;
  end_writing();
}

void WsConnection::end_writing() {
  if (!writing_ && composed_.size() > kTextKept) composed_ = {};
}

// With the message being written, from written_ on: its mark, and the pattern behind it.
void WsConnection::fill(proto::MutableBytes piece) {
  const Message& message = shared_.plan.message;
  if (!composed_.empty()) {
    std::memcpy(piece.data(), composed_.data() + written_, piece.size());
    return;
  }
  std::size_t filled = 0;
  const std::size_t marked = mark_bytes(send_size_);
  if (written_ < marked) {
    const auto mark = encode_mark({id_, send_number_, due_}, message.text);
    filled = std::min<std::size_t>(marked - written_, piece.size());
    std::memcpy(piece.data(), mark.data() + written_, filled);
  }
  while (filled < piece.size()) {
    const proto::Bytes pattern =
        tools::pattern_at(send_number_ + written_ + filled, piece.size() - filled, message.text);
    std::memcpy(piece.data() + filled, pattern.data(), pattern.size());
    filled += pattern.size();
  }
}

ws::MaskKey WsConnection::next_mask_key() {
  const std::uint64_t random = shared_.random();
  ws::MaskKey key;
  std::memcpy(key.data(), &random, key.size());
  return key;
}

}  // namespace load
