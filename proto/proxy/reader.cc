#include "proto/proxy/reader.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "proto/proxy/format.hh"

namespace proxy {
namespace {

constexpr std::string_view kNoHeader = "there is no PROXY header where one has to be";
constexpr std::string_view kBadLine = "the PROXY line is malformed";
constexpr std::string_view kBadTlv = "a TLV of the PROXY header reaches beyond its end";

// Between two single blanks; nothing where there is none.
std::optional<std::string_view> next_word(std::string_view& line) {
  const std::size_t blank = line.find(' ');
  if (blank == line.npos || blank == 0) return std::nullopt;
  const std::string_view word = line.substr(0, blank);
  line.remove_prefix(blank + 1);
  return word;
}

// Decimal, without leading zeros.
bool read_port(std::string_view word, std::uint16_t& port) {
  const bool is_digits =
      !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_digits || (word.size() > 1 && word.front() == '0')) return false;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
  return error == std::errc() && end == word.data() + word.size();
}

bool read_address(std::string_view word, Family family, Endpoints::Octets& octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (word.size() >= text.size() || word.contains('\0')) return false;
  std::ranges::copy(word, text.begin());
  return inet_pton(family == Family::kIpv4 ? AF_INET : AF_INET6, text.data(), octets.data()) == 1;
}

}  // namespace

std::expected<std::size_t, std::string_view> HeaderReader::feed(proto::Bytes bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ != State::kDone && state_ != State::kRefused) {
    fault_ = take(bytes[taken++]);
    if (!fault_.empty()) state_ = State::kRefused;
  }
  if (state_ == State::kRefused) return std::unexpected(fault_);
  return taken;
}

HeaderReader::Fault HeaderReader::take(std::byte value) {
  const char c = static_cast<char>(value);
  if (state_ == State::kStart) return begin(c);
  if (state_ == State::kLine) return take_line(c);
  const bool is_in_block = state_ >= State::kAddresses;
  if (is_in_block) --block_left_;
  const bool is_crc = state_ == State::kTlvValue && tlv_type_ == kTlvCrc32c;
  crc_.add(is_crc ? std::byte{0} : value);  // section 2.2.3: counted as if it were zero
  switch (state_) {
    case State::kSignature:
      held_[held_bytes_++] = c;
      if (c != kSignature[held_bytes_ - 1u]) return kNoHeader;
      if (held_bytes_ < kSignature.size()) return {};
      held_bytes_ = 0;
      state_ = State::kFixed;
      return {};
    case State::kFixed:
      held_[held_bytes_++] = c;
      return held_bytes_ < 4 ? Fault() : take_fixed();
    case State::kAddresses:
      if (held_bytes_ < held_.size()) held_[held_bytes_] = c;
      ++held_bytes_;
      return held_bytes_ < address_bytes() ? Fault() : take_addresses();
    case State::kTlvHead:
      held_[held_bytes_++] = c;
      if (held_bytes_ == kTlvHeadBytes) return take_tlv_head();
      return block_left_ == 0 ? kBadTlv : Fault();
    case State::kTlvValue:
      return take_tlv_value(value);
    default:
      return block_left_ == 0 ? end_block() : Fault();
  }
}

HeaderReader::Fault HeaderReader::begin(char value) {
  held_[held_bytes_++] = value;
  if (value == kLineStart.front()) {
    state_ = State::kLine;
  } else if (value == kSignature.front()) {
    crc_.add(static_cast<std::byte>(value));
    state_ = State::kSignature;
  } else {
    return kNoHeader;
  }
  return {};
}

HeaderReader::Fault HeaderReader::take_line(char value) {
  const bool ends = held_[held_bytes_ - 1u] == '\r';
  held_[held_bytes_++] = value;
  const std::size_t start = std::min<std::size_t>(held_bytes_, kLineStart.size());
  if (std::string_view(held_.data(), start) != kLineStart.substr(0, start)) return kNoHeader;
  if (ends != (value == '\n')) return kBadLine;
  if (ends) return read_line();
  return held_bytes_ < held_.size() ? Fault() : "the PROXY line has no end within 107 bytes";
}

HeaderReader::Fault HeaderReader::read_line() {
  std::string_view line(held_.data(), held_bytes_ - 2u);
  line.remove_prefix(kLineStart.size());
  state_ = State::kDone;
  // What follows is to be ignored (section 2.1).
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return {};
  const auto protocol = next_word(line);
  if (protocol != "TCP4" && protocol != "TCP6") return kBadLine;
  Endpoints told{.family = protocol == "TCP4" ? Family::kIpv4 : Family::kIpv6};
  const auto source = next_word(line);
  const auto destination = next_word(line);
  const auto source_port = next_word(line);
  const bool is_right = source_port && read_address(*source, told.family, told.source) &&
                        read_address(*destination, told.family, told.destination) &&
                        read_port(*source_port, told.source_port) &&
                        read_port(line, told.destination_port);
  if (!is_right) return kBadLine;
  endpoints_ = told;
  return {};
}

// Version and command, family and protocol, length.
HeaderReader::Fault HeaderReader::take_fixed() {
  const unsigned version = held(0) >> 4;
  const unsigned command = held(0) & 0x0f;
  const unsigned family = held(1) >> 4;
  const unsigned protocol = held(1) & 0x0f;
  const unsigned length = held_16(2);
  held_bytes_ = 0;
  if (version != 2) return "the PROXY header is of another version than 1 and 2";
  if (command > kCommandProxy) return "the PROXY header has an unknown command";
  if (family > kFamilyUnix || protocol > kProtocolMax) {
    return "the PROXY header has an unknown address family or protocol";
  }
  if (length > kBlockBytesMax) return "the PROXY header is longer than 4096 bytes";
  block_left_ = static_cast<std::uint16_t>(length);
  // Section 2.2: of a LOCAL connection nothing that follows is looked at.
  if (command == kCommandLocal) {
    state_ = State::kSkip;
    return length == 0 ? end_block() : Fault();
  }
  family_ = static_cast<std::uint8_t>(family);
  if (length < address_bytes()) return "the PROXY header is too short for its addresses";
  if (address_bytes() == 0) return begin_tlvs();
  if (protocol == kProtocolStream) endpoints_.family = static_cast<Family>(family);
  state_ = State::kAddresses;
  return {};
}

std::size_t HeaderReader::address_bytes() const {
  constexpr std::array<std::size_t, 4> kBytes = {0, 12, 36, kUnixBytes};
  return kBytes[family_];
}

HeaderReader::Fault HeaderReader::take_addresses() {
  const bool is_ip = endpoints_.family == Family::kIpv4 || endpoints_.family == Family::kIpv6;
  if (is_ip) {
    const std::size_t bytes = endpoints_.family == Family::kIpv4 ? 4 : 16;
    std::memcpy(endpoints_.source.data(), held_.data(), bytes);
    std::memcpy(endpoints_.destination.data(), held_.data() + bytes, bytes);
    endpoints_.source_port = static_cast<std::uint16_t>(held_16(2 * bytes));
    endpoints_.destination_port = static_cast<std::uint16_t>(held_16(2 * bytes + 2));
  }
  return begin_tlvs();
}

HeaderReader::Fault HeaderReader::begin_tlvs() {
  held_bytes_ = 0;
  state_ = State::kTlvHead;
  return block_left_ == 0 ? end_block() : Fault();
}

HeaderReader::Fault HeaderReader::take_tlv_head() {
  tlv_type_ = held(0);
  tlv_left_ = static_cast<std::uint16_t>(held_16(1));
  if (tlv_left_ > block_left_) return kBadTlv;
  if (tlv_type_ == kTlvCrc32c) {
    if (tlv_left_ != kCrcBytes) return "the checksum of the PROXY header is not of four bytes";
    if (std::exchange(has_crc_, true)) return "the PROXY header has two checksums";
  }
  if (tlv_left_ == 0) return begin_tlvs();
  state_ = State::kTlvValue;
  return {};
}

HeaderReader::Fault HeaderReader::take_tlv_value(std::byte value) {
  if (tlv_type_ == kTlvCrc32c) {
    crc_told_ = crc_told_ << 8 | std::to_integer<std::uint32_t>(value);
  }
  return --tlv_left_ == 0 ? begin_tlvs() : Fault();
}

HeaderReader::Fault HeaderReader::end_block() {
  if (has_crc_ && crc_told_ != crc_.value()) return "the checksum of the PROXY header is wrong";
  state_ = State::kDone;
  return {};
}

}  // namespace proxy
