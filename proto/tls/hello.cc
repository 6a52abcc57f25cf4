#include "proto/tls/hello.hh"

#include <algorithm>
#include <bitset>
#include <optional>

#include "proto/tls/cursor.hh"

namespace tls {
namespace {

// RFC 8446 section 4.
constexpr std::size_t kMessageHeader = 4;
// Section 4.1.2.
constexpr std::size_t kRandom = 32;
constexpr std::size_t kSessionIdMax = 32;
constexpr std::byte kNoCompression{0};
constexpr std::size_t kTls12 = 0x0303;
constexpr std::size_t kTls13 = 0x0304;
// RFC 7507 section 2.
constexpr std::size_t kFallbackScsv = 0x5600;
// RFC 6066 section 3.
constexpr std::size_t kHostName = 0;
// RFC 8446 section 4.2.9.
constexpr std::byte kPskWithKeyExchange{1};
// Who offers more shares than there are groups that anybody uses wants us to work for nothing.
constexpr std::size_t kKeySharesMax = 12;

constexpr Refusal kMalformed{"malformed ClientHello", AlertCode::kDecodeError};

using NumberSet = std::bitset<65536>;

enum Extension : std::uint16_t {
  kServerName = 0,
  kSupportedGroups = 10,
  kSignatureAlgorithms = 13,
  kProtocols = 16,
  kPreSharedKey = 41,
  kSupportedVersions = 43,
  kPskModes = 45,
  kKeyShare = 51,
  kRenegotiation = 0xff01,
};

// The bodies of those that matter here.
struct Extensions {
  std::optional<proto::Bytes> server_name, groups, signature_algorithms, protocols, pre_shared_key,
      versions, psk_modes, key_shares, renegotiation;

  std::optional<proto::Bytes>* of(std::size_t type) {
    switch (type) {
      case kServerName:
        return &server_name;
      case kSupportedGroups:
        return &groups;
      case kSignatureAlgorithms:
        return &signature_algorithms;
      case kProtocols:
        return &protocols;
      case kPreSharedKey:
        return &pre_shared_key;
      case kSupportedVersions:
        return &versions;
      case kPskModes:
        return &psk_modes;
      case kKeyShare:
        return &key_shares;
      case kRenegotiation:
        return &renegotiation;
      default:
        return nullptr;
    }
  }
};

struct Hello {
  std::size_t legacy_version = 0;
  proto::Bytes suites;
  proto::Bytes compressions;
  Extensions extensions;
};

using Problem = std::optional<Refusal>;

Problem read_extensions(proto::Bytes block, Extensions& extensions) {
  NumberSet seen;
  Cursor cursor(block);
  while (!cursor.done()) {
    const std::size_t type = cursor.number(2);
    const proto::Bytes body = cursor.vector(2);
    if (cursor.broken()) return kMalformed;
    // RFC 8446 section 4.2.
    if (seen[type]) return Refusal{"an extension sent twice", AlertCode::kIllegalParameter};
    seen.set(type);
    if (std::optional<proto::Bytes>* const place = extensions.of(type)) *place = body;
    // Section 4.2.11.
    if (type == kPreSharedKey && !cursor.done()) {
      return Refusal{"pre_shared_key is not the last extension", AlertCode::kIllegalParameter};
    }
  }
  return {};
}

Problem read_hello(proto::Bytes message, Hello& hello) {
  Cursor cursor(message);
  cursor.take(kMessageHeader);
  hello.legacy_version = cursor.number(2);
  cursor.take(kRandom);
  const proto::Bytes session_id = cursor.vector(1);
  hello.suites = cursor.vector(2);
  hello.compressions = cursor.vector(1);
  if (cursor.broken() || session_id.size() > kSessionIdMax || hello.suites.empty() ||
      hello.suites.size() % 2 != 0 || hello.compressions.empty()) {
    return kMalformed;
  }
  if (cursor.done()) return {};  // TLS 1.2 knows hellos without extensions
  const proto::Bytes block = cursor.vector(2);
  if (!cursor.whole()) return kMalformed;
  return read_extensions(block, hello.extensions);
}

// A list of numbers of two bytes that fills its extension, behind a length of `width` bytes; empty
// where it is none.
proto::Bytes numbers_in(proto::Bytes body, std::size_t width) {
  Cursor cursor(body);
  const proto::Bytes list = cursor.vector(width);
  return cursor.whole() && list.size() % 2 == 0 ? list : proto::Bytes{};
}

bool contains(proto::Bytes numbers, std::size_t wanted) {
  Cursor cursor(numbers);
  while (!cursor.done()) {
    if (cursor.number(2) == wanted) return true;
  }
  return false;
}

// RFC 8446 section 4.2.1.
Problem choose_version(const Hello& hello, Version& version) {
  constexpr Refusal kTooOld{"protocol version too old", AlertCode::kProtocolVersion};
  version = Version::k12;
  if (!hello.extensions.versions) {
    if (hello.legacy_version < kTls12) return kTooOld;
    return {};
  }
  const proto::Bytes versions = numbers_in(*hello.extensions.versions, 1);
  if (versions.empty()) return kMalformed;
  if (contains(versions, kTls13)) {
    version = Version::k13;
  } else if (!contains(versions, kTls12)) {
    return kTooOld;
  }
  return {};
}

// RFC 6066 section 3: at most one name of a kind.
Problem read_server_name(proto::Bytes body, std::string_view& server_name) {
  Cursor cursor(body);
  Cursor names(cursor.vector(2));
  if (!cursor.whole() || names.done()) return kMalformed;
  while (!names.done()) {
    const std::size_t type = names.number(1);
    const proto::Bytes name = names.vector(2);
    if (names.broken()) return kMalformed;
    if (type != kHostName) continue;
    if (name.empty()) return kMalformed;
    if (!server_name.empty()) return Refusal{"two server names", AlertCode::kIllegalParameter};
    server_name = proto::as_text(name);
  }
  return {};
}

Problem read_protocols(proto::Bytes body, proto::Bytes& protocols) {
  Cursor cursor(body);
  protocols = cursor.vector(2);
  if (!cursor.whole() || protocols.empty()) return kMalformed;
  Cursor names(protocols);
  while (!names.done()) {
    if (names.vector(1).empty()) return kMalformed;
  }
  return names.whole() ? Problem{} : kMalformed;
}

// RFC 8446 section 4.2.8: each for a group that is offered, and one for each.
Problem judge_key_shares(proto::Bytes body, proto::Bytes groups, std::uint16_t& only_share) {
  NumberSet without_share;
  for (Cursor cursor(groups); !cursor.done();) without_share.set(cursor.number(2));
  Cursor cursor(body);
  Cursor shares(cursor.vector(2));
  if (!cursor.whole()) return kMalformed;
  for (std::size_t count = 1; !shares.done(); ++count) {
    const std::size_t group = shares.number(2);
    if (shares.vector(2).empty()) return kMalformed;
    if (!without_share[group] || count > kKeySharesMax) {
      return Refusal{"key shares do not fit the groups", AlertCode::kIllegalParameter};
    }
    without_share.reset(group);
    only_share = count == 1 ? static_cast<std::uint16_t>(group) : 0;
  }
  return shares.whole() ? Problem{} : kMalformed;
}

// Section 9.2, where it is about a hello.
Problem judge_what_is_missing(const Extensions& has) {
  const bool fresh = has.groups && has.key_shares && has.signature_algorithms;
  if (has.groups.has_value() != has.key_shares.has_value() || (!fresh && !has.pre_shared_key) ||
      (has.pre_shared_key && !has.psk_modes)) {
    return Refusal{"an extension is missing", AlertCode::kMissingExtension};
  }
  return {};
}

Problem judge_groups(const Extensions& has, std::span<const std::uint16_t> ours,
                     ClientHello& made) {
  if (!has.groups) return {};
  const proto::Bytes offered = numbers_in(*has.groups, 2);
  if (offered.empty()) return kMalformed;
  const auto best =
      std::ranges::find_if(ours, [&](std::uint16_t group) { return contains(offered, group); });
  if (best == ours.end()) return Refusal{"no shared group", AlertCode::kHandshakeFailure};
  if (made.version != Version::k13 || !has.key_shares) return {};
  made.best_group = *best;
  return judge_key_shares(*has.key_shares, offered, made.only_share);
}

Problem judge_for_tls13(const Hello& hello, ClientHello& made) {
  const Extensions& has = hello.extensions;
  if (hello.compressions.size() != 1 || hello.compressions[0] != kNoCompression) {
    return Refusal{"compression is offered", AlertCode::kIllegalParameter};
  }
  if (auto problem = judge_what_is_missing(has)) return problem;
  if (has.signature_algorithms && numbers_in(*has.signature_algorithms, 2).empty()) {
    return kMalformed;
  }
  if (!has.psk_modes) return {};
  Cursor cursor(*has.psk_modes);
  const proto::Bytes modes = cursor.vector(1);
  if (!cursor.whole() || modes.empty()) return kMalformed;
  made.takes_tickets = std::ranges::find(modes, kPskWithKeyExchange) != modes.end();
  return {};
}

Problem judge_for_tls12(const Hello& hello) {
  // RFC 5246 section 7.4.1.2.
  if (std::ranges::find(hello.compressions, kNoCompression) == hello.compressions.end()) {
    return Refusal{"nothing but compression is offered", AlertCode::kIllegalParameter};
  }
  // RFC 5746 section 3.6: nothing is renegotiated.
  const auto& renegotiation = hello.extensions.renegotiation;
  if (renegotiation && (renegotiation->size() != 1 || renegotiation->front() != std::byte{0})) {
    return Refusal{"a renegotiation", AlertCode::kHandshakeFailure};
  }
  // RFC 7507 section 3.
  if (contains(hello.suites, kFallbackScsv)) {
    return Refusal{"an older version than both sides know (TLS_FALLBACK_SCSV)",
                   AlertCode::kInappropriateFallback};
  }
  return {};
}

}  // namespace

bool ClientHello::offers(std::string_view protocol) const {
  Cursor names(protocols);
  while (!names.done()) {
    if (proto::as_text(names.vector(1)) == protocol) return true;
  }
  return false;
}

std::expected<ClientHello, Refusal> judge_hello(proto::Bytes message,
                                                std::span<const std::uint16_t> groups) {
  Hello hello;
  ClientHello made;
  const Extensions& has = hello.extensions;
  Problem problem = read_hello(message, hello);
  if (!problem && has.server_name) problem = read_server_name(*has.server_name, made.server_name);
  if (!problem) problem = choose_version(hello, made.version);
  if (!problem) {
    problem = made.version == Version::k13 ? judge_for_tls13(hello, made) : judge_for_tls12(hello);
  }
  if (!problem) problem = judge_groups(has, groups, made);
  if (!problem && has.protocols) problem = read_protocols(*has.protocols, made.protocols);
  if (problem) return std::unexpected(*problem);
  return made;
}

bool wants_to_resume(proto::Bytes records) {
  constexpr std::size_t kHandshakeRecord = 22;  // RFC 8446 section 5.1
  constexpr std::size_t kClientHello = 1;       // section 4
  constexpr std::size_t kSessionTicket = 35;    // RFC 5077 section 3.2
  Cursor record(records);
  const std::size_t type = record.number(1);
  record.take(2);
  Cursor message(record.vector(2));
  if (type != kHandshakeRecord || message.number(1) != kClientHello) return false;
  Cursor hello(message.vector(3));
  hello.take(2 + kRandom);
  (void)hello.vector(1);
  (void)hello.vector(2);
  (void)hello.vector(1);
  Cursor extensions(hello.vector(2));
  if (record.broken() || message.broken() || hello.broken()) return false;
  while (!extensions.done()) {
    const std::size_t extension = extensions.number(2);
    const proto::Bytes body = extensions.vector(2);
    if (extensions.broken()) return false;
    if (extension == kPreSharedKey) return true;
    if (extension == kSessionTicket && !body.empty()) return true;
  }
  return false;
}

std::string_view server_name_in(proto::Bytes message) {
  Hello hello;
  std::string_view name;
  read_hello(message, hello);
  if (hello.extensions.server_name) read_server_name(*hello.extensions.server_name, name);
  return name;
}

}  // namespace tls
