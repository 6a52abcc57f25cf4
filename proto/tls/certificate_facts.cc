#include "proto/tls/certificate_facts.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <vector>

#include "proto/digest.hh"
#include "proto/tls/der.hh"

namespace tls {
namespace {

using proto::Bytes;

constexpr std::string_view kUnreadable = "certificate of a form that is not supported";
constexpr std::string_view kTooLong = "certificate says more than servers can be told";

// The attributes that have names (RFC 4519, and PKCS #9's), by their object identifiers.
struct Attribute {
  std::string_view object;
  std::string_view name;
};

constexpr Attribute kAttributes[] = {
    {"\x55\x04\x03", "CN"},
    {"\x55\x04\x04", "SN"},
    {"\x55\x04\x05", "serialNumber"},
    {"\x55\x04\x06", "C"},
    {"\x55\x04\x07", "L"},
    {"\x55\x04\x08", "ST"},
    {"\x55\x04\x09", "STREET"},
    {"\x55\x04\x0a", "O"},
    {"\x55\x04\x0b", "OU"},
    {"\x55\x04\x0c", "title"},
    {"\x55\x04\x2a", "GN"},
    {"\x55\x04\x2e", "dnQualifier"},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID"},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"},
};

constexpr std::string_view kAlternativeNames = "\x55\x1d\x11";

// Numeric, printable, Teletex, IA5, visible and UTF-8 strings, whose bytes are ASCII or above it.
constexpr std::array<std::uint8_t, 6> kTextTags = {0x12, 0x13, 0x14, 0x16, 0x1a, 0x0c};

void add_hex(std::string& text, std::byte byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto value = static_cast<unsigned>(byte);
  text += kDigits[value >> 4];
  text += kDigits[value & 15];
}

std::string hex(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) add_hex(text, byte);
  return text;
}

void add_escaped(std::string& text, Bytes value, std::string_view separators) {
  for (const std::byte byte : value) {
    const auto c = static_cast<char>(byte);
    const bool is_plain = byte >= std::byte{0x20} && byte < std::byte{0x7f} && c != '\\' &&
                          separators.find(c) == std::string_view::npos;
    if (is_plain) {
      text += c;
    } else {
      text += '\\';
      add_hex(text, byte);
    }
  }
}

// RFC 4514 section 2.4.
void add_value(std::string& text, const DerValue& value) {
  if (std::ranges::find(kTextTags, value.tag) == kTextTags.end()) {
    text.append("#").append(hex(value.whole));
    return;
  }
  Bytes middle = value.content;
  const auto is_space = [](std::byte byte) { return byte == std::byte{' '}; };
  const bool begins_oddly =
      !middle.empty() && (is_space(middle.front()) || middle.front() == std::byte{'#'});
  if (begins_oddly) {
    add_escaped(text, middle.first(1), " #");
    middle = middle.subspan(1);
  }
  const bool ends_oddly = !middle.empty() && is_space(middle.back());
  const std::size_t size = middle.size() - (ends_oddly ? 1 : 0);
  add_escaped(text, middle.first(size), "\"+,;<>");
  add_escaped(text, middle.subspan(size), " ");
}

// "2.5.4.3" (X.690 section 8.19); empty: too large a number, or none.
std::string dotted(Bytes object) {
  std::string text;
  std::uint64_t number = 0;
  bool is_within = false;
  for (const std::byte byte : object) {
    if (number >> 56 != 0) return {};
    number = number << 7 | (static_cast<std::uint64_t>(byte) & 0x7f);
    is_within = (byte & std::byte{0x80}) != std::byte{0};
    if (is_within) continue;
    if (text.empty()) {
      const std::uint64_t first = std::min<std::uint64_t>(number / 40, 2);
      text = std::to_string(first);
      number -= first * 40;
    }
    text += '.' + std::to_string(number);
    number = 0;
  }
  return is_within ? std::string() : text;
}

// Values of types without a name as they are (RFC 4514 section 2.4).
bool add_attribute(std::string& text, Bytes attribute) {
  DerReader reader(attribute);
  const Bytes object = reader.take(der::kObject);
  const DerValue value = reader.next();
  if (reader.broken() || !reader.done()) return false;
  const auto found = std::ranges::find(kAttributes, proto::as_text(object), &Attribute::object);
  if (found != std::end(kAttributes)) {
    text.append(found->name).append("=");
    add_value(text, value);
    return true;
  }
  const std::string type = dotted(object);
  text.append(type).append("=#").append(hex(value.whole));
  return !type.empty();
}

// A Name (RFC 5280 section 4.1.2.4), its last part first (RFC 4514 section 2.1).
bool write_name(std::string& text, Bytes name) {
  std::vector<Bytes> parts;
  DerReader reader(name);
  while (!reader.done()) parts.push_back(reader.take(der::kSet));
  if (reader.broken()) return false;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part != parts.rbegin()) text += ',';
    DerReader attributes(*part);
    bool is_first = true;
    while (!attributes.done()) {
      if (!is_first) text += '+';
      is_first = false;
      if (!add_attribute(text, attributes.take(der::kSequence))) return false;
    }
    if (is_first || attributes.broken()) return false;
  }
  return true;
}

bool add_address(std::string& text, Bytes octets) {
  char address[INET6_ADDRSTRLEN];
  if (octets.size() != 4 && octets.size() != 16) return false;
  const int family = octets.size() == 4 ? AF_INET : AF_INET6;
  text.append("IP:").append(inet_ntop(family, octets.data(), address, sizeof address));
  return true;
}

// GeneralNames (RFC 5280 section 4.2.1.6).
bool write_names(std::string& text, Bytes extension) {
  constexpr std::string_view kSeparators = " ,;\"";
  DerReader outer(extension);
  DerReader names(outer.take(der::kSequence));
  while (!names.done()) {
    const DerValue name = names.next();
    std::string_view kind;
    if (name.tag == der::implicit(1)) kind = "EMAIL:";
    if (name.tag == der::implicit(2)) kind = "DNS:";
    if (name.tag == der::implicit(6)) kind = "URI:";
    const bool is_address = name.tag == der::implicit(7);
    if (kind.empty() && !is_address) continue;
    if (!text.empty()) text += ", ";
    if (is_address && !add_address(text, name.content)) return false;
    text += kind;
    if (!is_address) add_escaped(text, name.content, kSeparators);
  }
  return outer.done() && !outer.broken() && !names.broken();
}

bool write_extensions(CertificateFacts& facts, Bytes extensions) {
  DerReader reader(extensions);
  while (!reader.done()) {
    DerReader extension(reader.take(der::kSequence));
    const Bytes object = extension.take(der::kObject);
    constexpr std::uint8_t kBoolean = 0x01;
    extension.skip_if(kBoolean);  // critical
    const Bytes value = extension.take(der::kOctets);
    if (extension.broken()) return false;
    if (proto::as_text(object) != kAlternativeNames) continue;
    // There is one of each kind (RFC 5280 section 4.2).
    if (!facts.names.empty() || !write_names(facts.names, value)) return false;
  }
  return !reader.broken();
}

// Without the zeros that only keep it from being negative.
std::string serial_of(Bytes integer) {
  while (integer.size() > 1 && integer.front() == std::byte{0}) integer = integer.subspan(1);
  return hex(integer);
}

bool read_certificate(CertificateFacts& facts, Bytes certificate) {
  DerReader whole(certificate);
  DerReader outer(whole.take(der::kSequence));
  DerReader body(outer.take(der::kSequence));
  body.skip_if(der::constructed(0));  // version
  facts.serial = serial_of(body.take(der::kInteger));
  body.take(der::kSequence);  // how it is signed
  const Bytes issuer = body.take(der::kSequence);
  body.take(der::kSequence);  // when it is valid
  const Bytes subject = body.take(der::kSequence);
  body.take(der::kSequence);  // its key
  body.skip_if(der::implicit(1));
  body.skip_if(der::implicit(2));
  if (body.broken() || !whole.done()) return false;
  if (!write_name(facts.issuer, issuer) || !write_name(facts.subject, subject)) return false;
  if (body.done()) return true;
  DerReader extensions(body.take(der::constructed(3)));
  const Bytes list = extensions.take(der::kSequence);
  return !body.broken() && body.done() && !extensions.broken() && extensions.done() &&
         write_extensions(facts, list);
}

}  // namespace

std::expected<CertificateFacts, std::string_view> read_facts(proto::Bytes der) {
  CertificateFacts facts;
  if (!read_certificate(facts, der)) return std::unexpected(kUnreadable);
  proto::Sha256 digest;
  digest.update(der);
  const auto fingerprint = digest.finish();
  facts.fingerprint = hex(fingerprint);
  std::ranges::transform(facts.fingerprint, facts.fingerprint.begin(),
                         [](char c) { return c >= 'A' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (facts.bytes() > CertificateFacts::kBytesMax) return std::unexpected(kTooLong);
  return facts;
}

}  // namespace tls
