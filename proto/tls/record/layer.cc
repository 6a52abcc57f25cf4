#include "proto/tls/record/layer.hh"

#include <algorithm>
#include <cstring>
#include <utility>

#include "proto/tls/record_buffers.hh"

namespace tls::record {
namespace {

constexpr std::byte kWarning{1};
constexpr std::byte kFatal{2};
constexpr std::byte kCloseNotify{0};
constexpr std::byte kKeyUpdate{24};
constexpr std::size_t kSmallRecord = 64;

bool overlaps(proto::Bytes bytes, const std::byte* begin, std::size_t size) {
  const auto first = reinterpret_cast<std::uintptr_t>(bytes.data());
  const auto other = reinterpret_cast<std::uintptr_t>(begin);
  return first < other + size && other < first + bytes.size();
}

}  // namespace

Layer::Layer(const Suite& suite, Role role, const Traffic& sealing, const Traffic& opening,
             const Secret& resumption, Resources resources)
    : suite_(suite), resources_(resources), role_(role) {
  if (role == Role::kClient) tickets_.reset(new Tickets{resumption, {}});
  start(sealing_, sealing);
  start(opening_, opening);
}

Layer::~Layer() {
  wipe();
  give_back(gathered_);
  give_back(plaintext_);
}

proto::Bytes Layer::resumption_secret() const {
  return tickets_ ? tickets_->resumption.bytes() : proto::Bytes{};
}

std::vector<std::byte> Layer::take_ticket() {
  return tickets_ ? std::exchange(tickets_->newest, {}) : std::vector<std::byte>{};
}

void Layer::start(Direction& direction, const Traffic& traffic) {
  direction.secret = traffic.secret;
  direction.key = traffic_key(suite_, traffic.secret);
  direction.sequence = traffic.sequence;
}

// RFC 8446 section 7.2.
void Layer::advance(Direction& direction) {
  resources_.keys.forget(direction.mark);
  start(direction, {next_secret(suite_, direction.secret), 0});
}

void Layer::wipe() {
  for (Direction* const direction : {&sealing_, &opening_}) {
    resources_.keys.forget(direction->mark);
    direction->secret.wipe();
    direction->key.key.wipe();
    direction->key.iv = {};
  }
  if (tickets_) tickets_->resumption.wipe();
}

// --- Sealing.

void Layer::seal(proto::Bytes plaintext, Sink& to_peer) {
  if (failed() || close_sent_) return;
  while (!plaintext.empty()) {
    const proto::Bytes part = plaintext.first(std::min(plaintext.size(), kPlaintextMax));
    plaintext = plaintext.subspan(part.size());
    seal_record(ContentType::kData, part, to_peer);
    pay_for_update();
    // Behind the record, or the update would overwrite a plaintext that lies where that goes.
    if (sealing_.sequence >= kRekeyAfter) rekey(to_peer);
  }
}

void Layer::rekey(Sink& to_peer) {
  if (failed() || close_sent_) return;
  send_key_update(!update_requested_, to_peer);
  update_requested_ = true;
}

void Layer::send_key_update(bool request, Sink& to_peer) {
  const std::byte message[] = {kKeyUpdate, std::byte{0}, std::byte{0}, std::byte{1},
                               std::byte{request}};
  seal_record(ContentType::kHandshake, message, to_peer);
  advance(sealing_);
}

void Layer::close(Sink& to_peer) {
  if (failed() || close_sent_) return;
  const std::byte alert[] = {kWarning, kCloseNotify};
  seal_record(ContentType::kAlert, alert, to_peer);
  close_sent_ = true;
}

Layer::Found Layer::refuse(std::string_view reason, AlertCode code, Sink& to_peer) {
  error_ = {reason};
  // Section 6.1: nothing follows a close_notify.
  if (!close_sent_) {
    const std::byte alert[] = {kFatal, static_cast<std::byte>(code)};
    seal_record(ContentType::kAlert, alert, to_peer);
    error_ = {reason, Error::Alert::kSent, static_cast<std::uint8_t>(code)};
  }
  state_ = State::kFailed;
  wipe();
  return Found::kEnd;
}

void Layer::seal_record(ContentType type, proto::Bytes content, Sink& to_peer) {
  const std::size_t size = content.size() + kExpansion;
  std::byte* const direct = to_peer.reserve(size);
  // Messages and alerts need no memory: they may say that there is none.
  std::array<std::byte, kSmallRecord> small;
  void* taken = nullptr;
  std::byte* place = direct != nullptr ? direct : small.data();
  if (direct == nullptr && size > kSmallRecord) {
    taken = resources_.buffers.take(size);
    if (taken == nullptr) fail_cipher("memory for a record");
    place = static_cast<std::byte*>(taken);
  }
  std::byte* const text = place + kHeaderSize;
  if (content.data() != text && overlaps(content, place, size)) {
    std::memmove(text, content.data(), content.size());
    content = {text, content.size()};
  }
  const std::size_t length = size - kHeaderSize;
  const std::array<std::byte, kHeaderSize> header = {
      static_cast<std::byte>(ContentType::kData), std::byte{3}, std::byte{3},
      static_cast<std::byte>(length >> 8), static_cast<std::byte>(length)};
  std::ranges::copy(header, place);
  const auto behind = static_cast<std::byte>(type);
  KeyCache& keys = resources_.keys;
  keys.aead().seal(keys.expanded(sealing_.mark, suite_, sealing_.key),
                   nonce_of(sealing_.key.iv, sealing_.sequence), header, content, {&behind, 1},
                   text);
  ++sealing_.sequence;
  if (direct != nullptr) {
    to_peer.commit(size);
  } else {
    to_peer.append({place, size});
    if (taken != nullptr) resources_.buffers.give_back(taken);
  }
}

}  // namespace tls::record
