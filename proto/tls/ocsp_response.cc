#include "proto/tls/ocsp_response.hh"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <string_view>

#include "proto/digest.hh"
#include "proto/tls/der.hh"

namespace tls {
namespace {

using proto::Bytes;

constexpr std::uint8_t kEnumerated = 0x0a;
constexpr std::uint8_t kGeneralizedTime = 0x18;
constexpr std::string_view kBasic = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
constexpr std::string_view kSha1 = "\x2b\x0e\x03\x02\x1a";
constexpr std::string_view kSha256 = "\x60\x86\x48\x01\x65\x03\x04\x02\x01";
constexpr std::size_t kSerialBytesMax = 20;  // RFC 5280 section 4.1.2.2

// What a response is told apart by.
struct Identity {
  Bytes issuer;  // a Name, whole
  Bytes serial;
};

struct Entry {
  Bytes id;
  OcspStatus status;
};

std::unexpected<std::string> malformed() {
  return std::unexpected<std::string>(
      "holds no OCSP response, or one that is damaged: name what 'openssl ocsp -respout FILE' "
      "writes");
}

std::optional<Identity> identity_of(Bytes certificate) {
  DerReader whole(certificate);
  DerReader outer(whole.take(der::kSequence));
  DerReader body(outer.take(der::kSequence));
  body.skip_if(der::constructed(0));  // version
  Identity made;
  made.serial = body.take(der::kInteger);
  body.take(der::kSequence);  // how it is signed
  const DerValue issuer = body.next();
  made.issuer = issuer.whole;
  if (body.broken() || issuer.tag != der::kSequence) return {};
  return made;
}

// RFC 6960 section 4.2.1: responseStatus. It has no 4.
std::string refusal_of(Bytes status) {
  constexpr std::array<std::string_view, 7> kNames = {
      "successful", "malformedRequest", "internalError", "tryLater",
      "",           "sigRequired",      "unauthorized"};
  const auto value =
      status.size() == 1 ? static_cast<std::size_t>(status.front()) : std::size_t{255};
  const std::string_view name = value < kNames.size() ? kNames[value] : "";
  return "says that the responder has refused to answer (" +
         (name.empty() ? "status " + std::to_string(value) : std::string(name)) +
         "): fetch it anew, and look at what the request asks for";
}

// "20261129120000Z" (RFC 5280 section 4.1.2.5.2), the one form that DER has of it.
std::optional<std::int64_t> time_of(Bytes bytes) {
  const std::string_view text = proto::as_text(bytes);
  if (text.size() != 15 || text.back() != 'Z') return {};
  const std::string_view digits = text.substr(0, 14);
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return {};
  const auto number = [&](std::size_t at, std::size_t width) {
    int value = 0;
    for (const char c : digits.substr(at, width)) value = value * 10 + (c - '0');
    return value;
  };
  std::tm calendar{};
  calendar.tm_year = number(0, 4) - 1900;
  calendar.tm_mon = number(4, 2) - 1;
  calendar.tm_mday = number(6, 2);
  calendar.tm_hour = number(8, 2);
  calendar.tm_min = number(10, 2);
  calendar.tm_sec = number(12, 2);
  if (calendar.tm_mon < 0 || calendar.tm_mon > 11 || calendar.tm_mday < 1 ||
      calendar.tm_mday > 31 || calendar.tm_hour > 23 || calendar.tm_min > 59 ||
      calendar.tm_sec > 60)
    return {};
  return timegm(&calendar);
}

// CertID. Of digests that are not known here the number alone decides.
bool is_of(Bytes id, const Identity& certificate) {
  DerReader reader(id);
  DerReader algorithm(reader.take(der::kSequence));
  const std::string_view digest = proto::as_text(algorithm.take(der::kObject));
  const Bytes issuer_name = reader.take(der::kOctets);
  reader.take(der::kOctets);  // the issuer's key
  const Bytes serial = reader.take(der::kInteger);
  if (reader.broken() || !std::ranges::equal(serial, certificate.serial)) return false;
  if (digest == kSha1) return std::ranges::equal(issuer_name, proto::sha1(certificate.issuer));
  if (digest != kSha256) return true;
  proto::Sha256 wanted;
  wanted.update(certificate.issuer);
  return std::ranges::equal(issuer_name, wanted.finish());
}

std::string serial_in(Bytes id) {
  DerReader reader(id);
  reader.take(der::kSequence);
  reader.take(der::kOctets);
  reader.take(der::kOctets);
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  const Bytes serial = reader.take(der::kInteger);
  for (const std::byte byte : serial.first(std::min(serial.size(), kSerialBytesMax))) {
    text += kDigits[static_cast<unsigned>(byte) >> 4];
    text += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return serial.size() > kSerialBytesMax ? text + "..." : text;
}

// SingleResponse. `until` stays 0 where it has no nextUpdate.
std::optional<Entry> read_entry(Bytes bytes) {
  DerReader reader(bytes);
  Entry entry;
  entry.id = reader.take(der::kSequence);
  const DerValue kind = reader.next();
  const auto from = time_of(reader.take(kGeneralizedTime));
  std::optional<std::int64_t> until = 0;
  if (reader.is_next(der::constructed(0))) {
    DerReader next(reader.take(der::constructed(0)));
    until = time_of(next.take(kGeneralizedTime));
    if (!next.done()) return {};
  }
  reader.skip_if(der::constructed(1));  // extensions
  if (reader.broken() || !reader.done() || !from || !until) return {};
  entry.status.from = *from;
  entry.status.until = *until;
  if (kind.tag == der::implicit(0)) {
    entry.status.kind = OcspStatus::Kind::kGood;
  } else if (kind.tag == der::constructed(1)) {
    entry.status.kind = OcspStatus::Kind::kRevoked;
  } else if (kind.tag == der::implicit(2)) {
    entry.status.kind = OcspStatus::Kind::kUnknown;
  } else {
    return {};
  }
  return entry;
}

// The entries of a BasicOCSPResponse; empty: it is malformed.
Bytes entries_in(Bytes basic) {
  DerReader whole(basic);
  DerReader outer(whole.take(der::kSequence));
  DerReader data(outer.take(der::kSequence));
  data.skip_if(der::constructed(0));  // version
  const DerValue responder = data.next();
  data.take(kGeneralizedTime);  // when it was made
  const Bytes entries = data.take(der::kSequence);
  data.skip_if(der::constructed(1));  // extensions
  constexpr std::uint8_t kBits = 0x03;
  outer.take(der::kSequence);  // how it is signed
  outer.take(kBits);
  outer.skip_if(der::constructed(0));  // certificates
  const bool is_whole = whole.done() && !whole.broken() && outer.done() && !outer.broken() &&
                        data.done() && !data.broken();
  const bool is_known =
      responder.tag == der::constructed(1) || responder.tag == der::constructed(2);
  return is_whole && is_known ? entries : Bytes();
}

}  // namespace

std::expected<OcspStatus, std::string> read_ocsp_response(Bytes response, Bytes certificate) {
  const auto identity = identity_of(certificate);
  DerReader whole(response);
  DerReader outer(whole.take(der::kSequence));
  const Bytes status = outer.take(kEnumerated);
  if (!identity || whole.broken() || !whole.done() || outer.broken()) return malformed();
  if (status.size() != 1 || status.front() != std::byte{0})
    return std::unexpected(refusal_of(status));
  DerReader explicitly(outer.take(der::constructed(0)));
  DerReader typed(explicitly.take(der::kSequence));
  const bool is_basic = proto::as_text(typed.take(der::kObject)) == kBasic;
  const Bytes basic = typed.take(der::kOctets);
  if (!is_basic || typed.broken() || !typed.done() || !explicitly.done() || !outer.done())
    return malformed();

  DerReader entries(entries_in(basic));
  if (entries.done()) return malformed();
  std::string others;
  bool lacks_end = false;
  while (!entries.done()) {
    const auto entry = read_entry(entries.take(der::kSequence));
    if (!entry) return malformed();
    if (others.empty()) others = serial_in(entry->id);
    if (!is_of(entry->id, *identity)) continue;
    if (entry->status.until != 0) return entry->status;
    lacks_end = true;
  }
  if (lacks_end)
    return std::unexpected(
        "does not say until when it holds (nextUpdate), so that no client could rely on it: have "
        "one made that does ('openssl ocsp -ndays 7')");
  return std::unexpected("is for another certificate, with the serial number " + others +
                         ": fetch that of this one, by its CA");
}

}  // namespace tls
