#include "tools/load/client.hh"

#include <algorithm>
#include <array>
#include <cstring>

#include "tools/common/pattern.hh"

namespace load {
namespace {

constexpr std::chrono::seconds kOpenMax{10};
constexpr std::chrono::seconds kEndMax{2};
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kWorthWriting = 4 * 1024;
constexpr std::size_t kPieceMax = 64 * 1024;
// What is compared of each end of a large piece.
constexpr std::size_t kSampleBytes = 64;

bool is_pattern(std::uint64_t offset, proto::Bytes bytes, bool text) {
  while (!bytes.empty()) {
    const proto::Bytes expected = tools::pattern_at(offset, bytes.size(), text);
    if (!std::ranges::equal(expected, bytes.first(expected.size()))) return false;
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

Client::Client(ClientShared& shared, ClientOwner& owner)
    : shared_(shared),
      owner_(owner),
      link_(shared.runtime.links()),
      blocked_(shared.runtime.loop().ready()),
      pump_over_(shared.runtime.loop().ready()),
      limit_(*this, shared.runtime.loop().timers()),
      story_(run()),
      pump_story_(pump()) {}

uring::Task<> Client::run() {
  limit_.arm(shared_.runtime.loop().now() + kOpenMax);
  open_ = co_await open();
  limit_.disarm();
  if (open_) {
    was_open_ = true;
    ++shared_.tally.opened;
    owner_.opened(*this);
    pump_story_.start();
    co_await converse();
    limit_.arm(shared_.runtime.loop().now() + kEndMax);
    open_ = false;
    closing_ = true;
    blocked_.set();
    co_await pump_over_.wait();
    link_.write_end();
    co_await link_.drained();
    limit_.disarm();
  } else {
    ++shared_.tally.failed;
  }
  co_await link_.close();
  owner_.over(*this);
}

uring::Task<bool> Client::open() {
  const tools::Address& address = shared_.address;
  const int error = co_await link_.connect(address.get(), address.size);
  if (error != 0) {
    fail("connect: " + std::string(error == ECANCELED ? "timeout" : std::strerror(error)));
    co_return false;
  }
  if (shared_.tls != nullptr) {
    link_.secure(std::make_unique<tls::Session>(*shared_.tls, shared_.url.host_port.host));
    link_.start_handshake();
    const bool done = co_await link_.handshake();
    if (!done) {
      const bool told = link_.end() == uring::LinkEnd::kTlsFailed;
      fail("tls: " + (told ? link_.session()->error().text() : std::string("connection ended")));
      co_return false;
    }
  }
  const bool upgraded = co_await upgrade();
  co_return upgraded;
}

uring::Task<bool> Client::upgrade() {
  std::array<std::byte, 16> nonce;
  for (std::byte& byte : nonce) byte = static_cast<std::byte>(shared_.random() & 0xff);
  const ws::Key key = ws::make_key(nonce);
  ws::HandshakeFields asked;
  write_upgrade(key, asked);

  std::vector<std::byte> received;
  http::ResponseHead head;
  http::ResponseParser parser(head);
  for (;;) {
    const auto state = parser.parse(received);
    if (!state) {
      fail("upgrade: " + std::string(state.error().reason));
      co_return false;
    }
    if (*state == http::HeadState::kComplete) break;
    const proto::Bytes bytes = co_await link_.read_once(kReadBytes);
    if (bytes.empty()) {
      fail(link_.end() == uring::LinkEnd::kAborted ? "upgrade: timeout" : "upgrade: ended");
      co_return false;
    }
    received.insert(received.end(), bytes.begin(), bytes.end());
  }
  co_return judge(received, head, asked, key);
}

void Client::write_upgrade(const ws::Key& key, ws::HandshakeFields& asked) {
  const std::string head = "GET " + shared_.url.target +
                           " HTTP/1.1\r\nHost: " + shared_.url.authority +
                           "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
                           std::string(ws::as_text(key)) + "\r\n\r\n";
  asked.add("Upgrade", "websocket");
  asked.add("Connection", "Upgrade");
  link_.write(proto::as_bytes(head));
}

bool Client::judge(proto::Bytes received, const http::ResponseHead& head,
                   const ws::HandshakeFields& asked, const ws::Key& key) {
  ws::HandshakeFields answered;
  for (const http::Field& field : head.fields.all()) {
    answered.add(field.name.in(received), field.value.in(received));
  }
  const auto agreed = ws::judge_response(head.status, answered, asked, ws::as_text(key));
  if (!agreed) {
    fail("upgrade: status " + std::to_string(head.status) + ", " + std::string(agreed.error()));
    return false;
  }
  const proto::Bytes behind = received.subspan(head.bytes);
  behind_head_.assign(behind.begin(), behind.end());
  return true;
}

// Reads until either side has said its close frame, or the connection has ended.
uring::Task<> Client::converse() {
  proto::MutableBytes bytes = behind_head_;
  for (;;) {
    messages_.feed(bytes);
    while (const auto event = messages_.next()) take(*event);
    if (messages_.violation()) fail("violation: " + std::string(describe(*messages_.violation())));
    if (messages_.violation() || messages_.close_seen()) break;
    if (!write_due()) blocked_.set();
    bytes = tools::writable(co_await link_.read_once(kReadBytes));
    if (bytes.empty()) break;
  }
  if (closing_ || failed_) co_return;
  if (messages_.close_seen()) {
    if (!writing_) {
      link_.write(ws::make_close(messages_.close_seen()->code, {}, next_mask_key()).bytes());
    }
    fail("closed by the peer: " + std::to_string(messages_.close_seen()->code));
  } else {
    fail("connection ended by the peer");
  }
}

void Client::take(const ws::Event& event) {
  if (event.kind == ws::Event::Kind::kPing && !writing_ && !closing_) {
    link_.write(ws::make_pong(event.payload, next_mask_key()).bytes());
  }
  if (event.kind != ws::Event::Kind::kText && event.kind != ws::Event::Kind::kBinary) return;
  if (sent_at_.empty()) return fail("a message that nobody sent");
  const bool text = shared_.options.text;
  if (text != (event.kind == ws::Event::Kind::kText)) fail("another kind of message");
  if (!sample_is_pattern(receive_number_ + received_, event.payload, text)) fail("wrong content");
  received_ += event.payload.size();
  if (!event.last) return;
  if (received_ != shared_.options.size_bytes) fail("wrong length");
  Tally& tally = shared_.tally;
  if (tally.measuring) {
    ++tally.messages;
    tally.latency.add(shared_.runtime.loop().now() - sent_at_.front());
  }
  sent_at_.pop_front();
  received_ = 0;
  ++receive_number_;
  if (!shared_.options.hold) ++to_send_;
}

void Client::begin(std::size_t in_flight) {
  to_send_ += in_flight;
  if (!write_due()) blocked_.set();
}

void Client::end() {
  if (closing_) return;
  closing_ = true;
  if (!open_) return abort();
  limit_.arm(shared_.runtime.loop().now() + kEndMax);
  // In mid-message a close frame cannot be sent.
  if (writing_) return abort();
  link_.write(ws::make_close(ws::kCloseNormal, {}, next_mask_key()).bytes());
}

void Client::abort() {
  closing_ = true;
  // A peer that does not read would never learn of a FIN behind what it has not read.
  link_.reset_on_close();
  link_.abort();
}

// Writes what is due and fits; gives whether that was all.
bool Client::write_due() {
  while (to_send_ > 0 && !closing_) {
    const std::size_t room = link_.room();
    if (room < std::min<std::uint64_t>(kWorthWriting, shared_.options.size_bytes + 64)) {
      return false;
    }
    write_piece(room);
  }
  return true;
}

void Client::write_piece(std::size_t room) {
  const std::uint64_t size = shared_.options.size_bytes;
  if (!writing_) {
    mask_key_ = next_mask_key();
    const ws::FrameHeader header{
        .opcode = shared_.options.text ? ws::Opcode::kText : ws::Opcode::kBinary,
        .masked = true,
        .mask_key = mask_key_,
        .payload_bytes = size};
    link_.write(ws::encode_header(header).bytes());
    room -= ws::kHeaderBytesMax;
    sent_at_.push_back(shared_.runtime.loop().now());
    writing_ = true;
    written_ = 0;
  }
  std::vector<std::byte>& scratch = shared_.scratch;
  scratch.resize(kPieceMax);
  const std::size_t wanted = std::min<std::uint64_t>({size - written_, room, kPieceMax});
  const proto::Bytes content =
      tools::pattern_at(send_number_ + written_, wanted, shared_.options.text);
  const proto::MutableBytes piece = proto::MutableBytes(scratch).first(content.size());
  std::ranges::copy(content, piece.begin());
  ws::apply_mask(piece, mask_key_, written_);
  link_.write(piece);
  written_ += piece.size();
  if (written_ < size) return;
  writing_ = false;
  ++send_number_;
  --to_send_;
}

// Goes on writing where a batch was full.
uring::Task<> Client::pump() {
  while (!closing_) {
    blocked_.clear();
    co_await blocked_.wait();
    while (!closing_ && !link_.send_failed() && !write_due()) co_await link_.drained();
  }
  pump_over_.set();
}

void Client::fail(const std::string& reason) {
  if (failed_ || closing_) return;
  failed_ = true;
  shared_.tally.add_error(reason);
}

ws::MaskKey Client::next_mask_key() {
  const std::uint64_t random = shared_.random();
  ws::MaskKey key;
  std::memcpy(key.data(), &random, key.size());
  return key;
}

}  // namespace load
