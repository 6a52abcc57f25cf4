#include "tools/load/engine/bad_frames.hh"

#include <algorithm>
#include <cstring>

namespace load {
namespace {

using ws::FrameHeader;
using ws::Opcode;

// A lone continuation byte, an overlong form, a surrogate, above U+10FFFF, a cut character.
constexpr std::string_view kInvalidTexts[] = {"a\x80z", "a\xc0\xaf", "\xed\xa0\x80",
                                              "\xf4\x90\x80\x80", "a\xe2\x82"};
constexpr std::uint8_t kReservedOpcodes[] = {3, 4, 5, 6, 7, 11, 12, 13, 14, 15};
// Not the first one: an extension may have given that a meaning.
constexpr std::uint8_t kReservedBits[] = {ws::kRsv2, ws::kRsv3, ws::kRsv2 | ws::kRsv3};

template <class Choices>
auto draw(const Choices& choices, std::mt19937_64& random) {
  return choices[random() % std::size(choices)];
}

void append(std::vector<std::byte>& to, proto::Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

ws::MaskKey append_header(std::vector<std::byte>& to, FrameHeader header, std::mt19937_64& random) {
  const std::uint64_t word = random();
  header.masked = true;
  std::memcpy(header.mask_key.data(), &word, header.mask_key.size());
  append(to, ws::encode_header(header).bytes());
  return header.mask_key;
}

void append_frame(std::vector<std::byte>& to, FrameHeader header, proto::Bytes payload,
                  std::mt19937_64& random) {
  header.payload_bytes = payload.size();
  const ws::MaskKey key = append_header(to, header, random);
  const std::size_t begin = to.size();
  append(to, payload);
  ws::apply_mask(proto::MutableBytes(to).subspan(begin), key);
}

std::vector<std::byte> broken_frames(Breach breach, std::mt19937_64& random) {
  const proto::Bytes some = proto::as_bytes("bad");
  const std::array<std::byte, ws::kControlPayloadBytesMax + 1> many{};
  std::vector<std::byte> frames;
  switch (breach) {
    case Breach::kReservedBit:
      append_frame(frames, {.rsv = draw(kReservedBits, random)}, some, random);
      break;
    case Breach::kReservedOpcode:
      append_frame(frames, {.opcode = static_cast<Opcode>(draw(kReservedOpcodes, random))}, some,
                   random);
      break;
    case Breach::kUnmasked:
      append(frames, ws::encode_header({.payload_bytes = some.size()}).bytes());
      append(frames, some);
      break;
    case Breach::kInvalidUtf8:
      append_frame(frames, {.opcode = Opcode::kText}, proto::as_bytes(draw(kInvalidTexts, random)),
                   random);
      break;
    case Breach::kLooseContinuation:
      append_frame(frames, {.opcode = Opcode::kContinuation}, some, random);
      break;
    case Breach::kMissingContinuation:
      append_frame(frames, {.fin = false}, some, random);
      append_frame(frames, {}, some, random);
      break;
    case Breach::kLongControl:
      append_frame(frames, {.opcode = Opcode::kPing}, many, random);
      break;
    case Breach::kFragmentedControl:
      append_frame(frames, {.fin = false, .opcode = Opcode::kPing}, some, random);
      break;
  }
  return frames;
}

std::optional<std::uint16_t> CloseWatch::feed(proto::Bytes bytes) {
  while (!code_ && !bytes.empty()) {
    const std::size_t taken = in_payload_ ? take_payload(bytes) : take_header(bytes);
    bytes = bytes.subspan(taken);
  }
  return code_;
}

// Adds to the header what it still needs, at most.
std::size_t CloseWatch::take_header(proto::Bytes bytes) {
  const std::size_t before = header_bytes_;
  const std::size_t added = std::min(bytes.size(), header_.size() - before);
  std::memcpy(header_.data() + before, bytes.data(), added);
  header_bytes_ += added;
  const ws::ParsedHeader parsed =
      ws::parse_header(proto::Bytes(header_).first(header_bytes_), {.lax = true});
  if (parsed.state == ws::HeaderCheck::State::kIncomplete) return added;
  header_bytes_ = 0;
  if (parsed.state == ws::HeaderCheck::State::kViolation) return bytes.size();
  is_close_ = parsed.header.opcode == ws::Opcode::kClose;
  left_ = parsed.header.payload_bytes;
  in_payload_ = true;
  close_bytes_ = 0;
  if (left_ == 0) take_payload({});
  return parsed.header_bytes - before;
}

std::size_t CloseWatch::take_payload(proto::Bytes bytes) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  if (is_close_) {
    const std::size_t kept = std::min(taken, close_.size() - close_bytes_);
    std::copy_n(bytes.begin(), kept, close_.begin() + static_cast<std::ptrdiff_t>(close_bytes_));
    close_bytes_ += kept;
  }
  left_ -= taken;
  in_payload_ = left_ > 0;
  if (in_payload_ || !is_close_) return taken;
  const auto close = ws::parse_close(proto::Bytes(close_).first(close_bytes_));
  code_ = close ? close->code : ws::kCloseNoStatus;
  return taken;
}

}  // namespace load
