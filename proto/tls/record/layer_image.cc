// A layer as bytes, version 1. Numbers have their highest byte first; a vector is its length in two
// bytes, and its bytes.
//
//   "TLSR" 1 | role | flags | suite, 2 | sealing: secret, number, 8 | opening: the same
//   | resumption secret | counters, 1 + 1 + 1 | to be skipped of a message, 4
//   | incomplete record | incomplete message
//   | plaintext that was not handed out | SHA-256 of all that
//
// Keys follow from the secrets. The digest finds what was damaged, not what was forged: whoever
// writes these bytes can read the connection anyhow.
#include <algorithm>
#include <cstring>

#include "proto/digest.hh"
#include "proto/tls/cursor.hh"
#include "proto/tls/record/layer.hh"
#include "proto/tls/record_buffers.hh"

namespace tls::record {
namespace {

constexpr std::size_t kDigestSize = 32;
constexpr std::size_t kFixedMax = 256;
constexpr std::string_view kMagic = "TLSR\1";
constexpr std::size_t kKeptMax = 17 * 1024;
constexpr std::size_t kSkippedMax = 128 * 1024 + 1024;
// Of what the peer may have sent under one key: what follows will not reach the end of numbers.
constexpr std::uint64_t kSequenceMax = std::uint64_t{1} << 48;
constexpr std::uint8_t kCloseSent = 1;
constexpr std::uint8_t kCloseReceived = 2;
constexpr std::uint8_t kUpdateRequested = 4;
constexpr std::uint8_t kFlagsAll = 7;

class Writer {
 public:
  explicit Writer(std::vector<std::byte>& to) : to_(to) {}
  void bytes(proto::Bytes bytes) { to_.insert(to_.end(), bytes.begin(), bytes.end()); }
  void number(std::uint64_t value, std::size_t width) {
    while (width-- > 0) to_.push_back(static_cast<std::byte>(value >> 8 * width));
  }
  void vector(proto::Bytes vector) {
    number(vector.size(), 2);
    bytes(vector);
  }

 private:
  std::vector<std::byte>& to_;
};

std::array<std::byte, kDigestSize> digest_of(proto::Bytes bytes) {
  proto::Sha256 digest;
  digest.update(bytes);
  return digest.finish();
}

// Empty, and of no suite, where it is longer than any.
Secret read_secret(Cursor& from) {
  const proto::Bytes bytes = from.vector(2);
  return Secret(bytes.size() <= kSecretMax ? bytes : proto::Bytes{});
}

Traffic read_traffic(Cursor& from) {
  Traffic traffic;
  traffic.secret = read_secret(from);
  traffic.sequence = from.number(8);
  return traffic;
}

}  // namespace

bool Layer::export_to(std::vector<std::byte>& to) {
  if (failed()) return false;
  proto::Bytes record(header_.data(), header_size_);
  if (gathered_.memory != nullptr) record = {gathered_.memory, gathered_.end};
  const proto::Bytes plaintext(plaintext_.memory + plaintext_.begin,
                               plaintext_.end - plaintext_.begin);
  const std::size_t begin = to.size();
  // At once: what is moved would stay behind.
  const BegunMessage nothing;
  const BegunMessage& begun = begun_ ? *begun_ : nothing;
  to.reserve(begin + kFixedMax + record.size() + begun.bytes.size() + plaintext.size() +
             kDigestSize);
  Writer writer(to);
  writer.bytes(proto::as_bytes(kMagic));
  writer.number(static_cast<std::uint8_t>(role_), 1);
  const int flags = (close_sent_ ? kCloseSent : 0) | (close_received_ ? kCloseReceived : 0) |
                    (update_requested_ ? kUpdateRequested : 0);
  writer.number(static_cast<std::uint64_t>(flags), 1);
  writer.number(suite_.id, 2);
  for (const Direction* const direction : {&sealing_, &opening_}) {
    writer.vector(direction->secret.bytes());
    writer.number(direction->sequence, 8);
  }
  writer.vector(resumption_secret());
  writer.number(updates_unpaid_, 1);
  writer.number(empty_records_, 1);
  writer.number(warnings_, 1);
  writer.number(begun.to_skip, 4);
  writer.vector(record);
  writer.vector(begun.bytes);
  writer.vector(plaintext);
  writer.bytes(digest_of(proto::Bytes(to).subspan(begin)));
  // Two of one connection would use a number twice, and hand out what is kept twice.
  give_back(gathered_);
  give_back(plaintext_);
  error_ = {"the connection has moved"};
  state_ = State::kFailed;
  wipe();
  return true;
}

std::expected<std::unique_ptr<Layer>, std::string_view> Layer::import_from(
    proto::MutableBytes bytes, Resources resources) {
  auto made = read_image(bytes, resources);
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
  return made;
}

std::expected<std::unique_ptr<Layer>, std::string_view> Layer::read_image(proto::Bytes bytes,
                                                                          Resources resources) {
  if (bytes.size() < kMagic.size() + kDigestSize ||
      proto::as_text(bytes.first(kMagic.size())) != kMagic) {
    return std::unexpected("not a connection of this version");
  }
  const proto::Bytes digest = bytes.last(kDigestSize);
  bytes = bytes.first(bytes.size() - kDigestSize);
  if (!std::ranges::equal(digest, digest_of(bytes))) return std::unexpected("damaged");
  Cursor at(bytes.subspan(kMagic.size()));
  const std::size_t role = at.number(1);
  const std::size_t flags = at.number(1);
  const Suite* const suite = find_suite(static_cast<std::uint16_t>(at.number(2)));
  const Traffic sealing = read_traffic(at);
  const Traffic opening = read_traffic(at);
  const Secret resumption = read_secret(at);
  const auto is_whole = [&](const Secret& secret) {
    return secret.bytes().size() == suite->secret_size;
  };
  if (suite == nullptr || role > 1 || flags > kFlagsAll || !is_whole(sealing.secret) ||
      !is_whole(opening.secret) || (!resumption.empty() && !is_whole(resumption)) ||
      (role == 0 && !resumption.empty()) || sealing.sequence > kRekeyAfter ||
      opening.sequence > kSequenceMax) {
    return std::unexpected("malformed");
  }
  auto made = std::make_unique<Layer>(*suite, static_cast<Role>(role), sealing, opening, resumption,
                                      resources);
  made->close_sent_ = (flags & kCloseSent) != 0;
  made->close_received_ = (flags & kCloseReceived) != 0;
  made->update_requested_ = (flags & kUpdateRequested) != 0;
  made->updates_unpaid_ = static_cast<std::uint8_t>(at.number(1));
  made->empty_records_ = static_cast<std::uint8_t>(at.number(1));
  made->warnings_ = static_cast<std::uint8_t>(at.number(1));
  const auto to_skip = static_cast<std::uint32_t>(at.number(4));
  const proto::Bytes record = at.vector(2);
  const proto::Bytes message = at.vector(2);
  const proto::Bytes plaintext = at.vector(2);
  if (!at.whole() || !made->take_kept(record, message, to_skip, plaintext)) {
    return std::unexpected("malformed");
  }
  return made;
}

// As it was gathered, which the ways that gather it check once more.
bool Layer::take_kept(proto::Bytes record, proto::Bytes message, std::uint32_t to_skip,
                      proto::Bytes plaintext) {
  std::optional<Refusal> flaw;
  if (!next_record(record, flaw).empty() || !record.empty() || flaw) return false;
  if (message.size() > kKeptMax || plaintext.size() > kKeptMax) return false;
  if (to_skip > kSkippedMax || (to_skip > 0 && !message.empty())) return false;
  if (!message.empty() && !is_begun_message(message)) return false;
  if (!message.empty() || to_skip > 0) {
    begun_.reset(new BegunMessage{{message.begin(), message.end()}, to_skip});
  }
  if (plaintext.empty()) return true;
  if (!take_memory(plaintext.size(), plaintext_)) return false;
  std::ranges::copy(plaintext, plaintext_.memory);
  plaintext_.end = static_cast<std::uint32_t>(plaintext.size());
  return true;
}

}  // namespace tls::record
