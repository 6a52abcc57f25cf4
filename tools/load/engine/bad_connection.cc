#include "tools/load/engine/bad_connection.hh"

#include <algorithm>
#include <charconv>

#include "proto/ws/handshake.hh"
#include "tools/common/pattern.hh"
#include "tools/load/engine/source.hh"

namespace load {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kHeadBytesMax = 64 * 1024;
constexpr std::size_t kStatusLineBytes = 12;  // "HTTP/1.1 408"

// Of an answer in HTTP, as far as it begins like one.
std::optional<int> status_of(std::string_view line) {
  if (line.size() < kStatusLineBytes || !line.starts_with("HTTP/1.")) return std::nullopt;
  int status = 0;
  const char* const end = line.data() + kStatusLineBytes;
  const auto [stop, error] = std::from_chars(end - 3, end, status);
  if (error != std::errc() || stop != end || status < 100) return std::nullopt;
  return status;
}

}  // namespace

BadConnection::BadConnection(BadKind kind, Shared& shared, BadOwner& owner, ShardTarget& target)
    : shared_(shared),
      target_(target),
      link_(shared.runtime.links()),
      kind_(kind),
      owner_(owner),
      pause_over_(shared.runtime.loop().ready()),
      limit_(*this, shared.runtime.loop().timers()),
      tick_(*this, shared.runtime.loop().timers()),
      story_(run()) {}

uring::Task<> BadConnection::run() {
  limit_.arm(shared_.now() + shared_.plan.open_limit);
  const bool there = co_await open();
  limit_.disarm();
  if (there && !is_stopped()) {
    was_open_ = true;
    began_ = shared_.now();
    ++counts().opened;
    co_await misbehave();
    limit_.disarm();
    tick_.disarm();
    note_end();
  } else if (!is_stopped()) {
    refused_ = true;
    ++counts().refused;
  }
  if (!code_) link_.reset_on_close();
  co_await link_.close();
  owner_.over(*this);
}

uring::Task<bool> BadConnection::open() {
  if (!bind_to_source(shared_, target_, link_)) co_return false;
  const tools::Address& address = target_.target.address;
  const int error = co_await link_.connect(address.get(), address.size);
  if (is_own_lack(error)) ++shared_.tally->lacks[error];
  if (error != 0) co_return false;
  if (depth() == Depth::kConnected) co_return true;
  if (target_.tls != nullptr) {
    const bool secured = co_await shake_hands();
    if (!secured) co_return false;
  }
  if (depth() == Depth::kSecured || !target_.target.websocket) co_return true;
  upgraded_ = co_await upgrade();
  co_return upgraded_;
}

uring::Task<bool> BadConnection::shake_hands() {
  link_.secure(std::make_unique<tls::Session>(*target_.tls, server_name()));
  link_.start_handshake();
  const bool done = co_await link_.handshake();
  co_return done;
}

uring::Task<bool> BadConnection::upgrade() {
  std::array<std::byte, 16> nonce;
  for (std::byte& byte : nonce) byte = static_cast<std::byte>(shared_.random() & 0xff);
  link_.write(proto::as_bytes(target_.request));
  link_.write(proto::as_bytes(ws::as_text(ws::make_key(nonce))));
  link_.write(proto::as_bytes("\r\n\r\n"));
  std::vector<std::byte> received;
  http::ResponseHead head;
  for (;;) {
    const proto::Bytes bytes = co_await link_.read_once(kReadBytes);
    if (bytes.empty() || received.size() > kHeadBytesMax) co_return false;
    received.insert(received.end(), bytes.begin(), bytes.end());
    const auto state = http::ResponseParser(head).parse(received);
    if (!state) co_return false;
    if (*state == http::HeadState::kComplete) break;
  }
  if (head.status != 101) co_return false;
  code_ = closes_.feed(proto::Bytes(received).subspan(head.bytes));
  co_return true;
}

void BadConnection::say(proto::Bytes bytes) {
  link_.write(bytes.first(std::min(bytes.size(), link_.room())));
}

uring::Task<> BadConnection::read_to_end() {
  while (!code_) {
    const proto::Bytes bytes = co_await link_.read_once(kReadBytes);
    if (bytes.empty()) break;
    hear(bytes);
  }
}

uring::Task<> BadConnection::pause(Duration time) {
  link_.watch_hangup(left_);
  pause_over_.clear();
  if (gone_ || is_stopped()) co_return;
  pauses_ = true;
  limit_.arm(shared_.now() + time);
  co_await pause_over_.wait();
  limit_.disarm();
  pauses_ = false;
}

void BadConnection::hear(proto::Bytes bytes) {
  if (upgraded_) {
    code_ = closes_.feed(bytes);
    return;
  }
  const std::size_t room = kStatusLineBytes - status_line_.size();
  const proto::Bytes kept = bytes.first(std::min(room, bytes.size()));
  status_line_.append(reinterpret_cast<const char*>(kept.data()), kept.size());
}

// Whoever was first has ended it.
void BadConnection::note_end() {
  BadCitizens& counted = counts();
  const Duration lived = shared_.now() - began_;
  if (!code_ && stop_ == Stop::kRunEnds) {
    ++counted.open;
    counted.open_longest = std::max(counted.open_longest, lived);
    return;
  }
  if (!code_ && (stop_ == Stop::kSurplus || reset_by_us_)) {
    ++counted.ended_by_us;
    return;
  }
  counted.until_ended.add(lived);
  if (code_) {
    ++counted.closes[*code_];
  } else if (const auto status = status_of(status_line_)) {
    ++counted.statuses[*status];
  } else {
    ++counted.cut;
  }
}

// Where a template makes more than a batch takes, the pattern has to do.
std::vector<std::byte> BadConnection::message(std::size_t bytes_least) {
  const Message& like = shared_.plan.message;
  std::vector<std::byte> payload;
  if (like.composed && like.composed->bytes_max() <= kReadBytes) {
    const std::vector<std::string> fields(shared_.plan.fields.size());
    payload.resize(like.composed->bytes_max());
    payload.resize(like.composed->render({.fields = fields}, shared_.random, payload));
    return payload;
  }
  const std::uint64_t drawn = like.sizes.of_message(shared_.random(), 0);
  const auto size = std::clamp<std::uint64_t>(drawn, bytes_least, kReadBytes);
  if (shared_.plan.reply_id && !like.composed) {
    payload.resize(size);
    payload.resize(write_request(0, size, payload));
    return payload;
  }
  while (payload.size() < size) {
    const proto::Bytes more = tools::pattern_at(payload.size(), size - payload.size(), like.text);
    payload.insert(payload.end(), more.begin(), more.end());
  }
  return payload;
}

const std::string& BadConnection::server_name() const {
  const std::string& asked = shared_.plan.server_name;
  return asked.empty() ? target_.target.host_port.host : asked;
}

bool BadConnection::may_speak() const {
  const Pattern pattern = shared_.plan.pattern;
  return pattern != Pattern::kPublish && pattern != Pattern::kPush;
}

void BadConnection::stop(Stop why) {
  if (is_stopped()) return;
  stop_ = why;
  link_.abort();
  pause_over_.set();
}

// It did not open in time, its pause is over, or it is to reset.
void BadConnection::on_limit() {
  if (pauses_) return pause_over_.set();
  reset_by_us_ = was_open_;
  link_.abort();
}

void BadConnection::on_left() {
  gone_ = true;
  pause_over_.set();
}

}  // namespace load
