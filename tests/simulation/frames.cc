#include "tests/simulation/frames.hh"

#include <algorithm>

namespace simulation {
namespace {

void add_big_endian(std::string& to, std::uint64_t number, int bytes) {
  for (int at = bytes - 1; at >= 0; --at) to.push_back(static_cast<char>(number >> (8 * at)));
}

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

LengthForm shortest(std::uint64_t length) {
  return length < 126     ? LengthForm::kShortest
         : length < 65536 ? LengthForm::k16Bits
                          : LengthForm::k64Bits;
}

}  // namespace

std::string make_frame(const FrameForm& form, std::string_view payload) {
  const std::uint64_t length = form.declares.value_or(payload.size());
  const LengthForm length_form = form.form == LengthForm::kShortest ? shortest(length) : form.form;
  const std::uint64_t mask_bit = form.key ? 0x80 : 0;
  std::string frame(1, static_cast<char>(form.first_byte));
  switch (length_form) {
    case LengthForm::kShortest:
      add_big_endian(frame, mask_bit | length, 1);
      break;
    case LengthForm::k16Bits:
      add_big_endian(frame, mask_bit | 126, 1);
      add_big_endian(frame, length, 2);
      break;
    case LengthForm::k64Bits:
      add_big_endian(frame, mask_bit | 127, 1);
      add_big_endian(frame, length, 8);
      break;
  }
  if (!form.key) return frame.append(payload);
  std::string mask;
  add_big_endian(mask, *form.key, 4);
  frame += mask;
  for (std::size_t at = 0; at < payload.size(); ++at) {
    frame.push_back(static_cast<char>(payload[at] ^ mask[at % 4]));
  }
  return frame;
}

std::string close_payload(unsigned code, std::string_view text) {
  std::string payload;
  add_big_endian(payload, code, 2);
  return payload.append(text);
}

std::optional<FrameRead> read_frame(std::string_view bytes) {
  auto frame = read_begun_frame(bytes);
  if (frame && frame->payload.size() < frame->payload_bytes) return std::nullopt;
  return frame;
}

std::optional<FrameRead> read_begun_frame(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const bool masked = (byte_at(bytes, 1) & 0x80) != 0;
  std::uint64_t length = byte_at(bytes, 1) & 0x7f;
  const std::size_t length_bytes = length < 126 ? 0 : length == 126 ? 2 : 8;
  const std::size_t mask_at = 2 + length_bytes;
  const std::size_t header_bytes = mask_at + (masked ? 4 : 0);
  if (bytes.size() < header_bytes) return std::nullopt;
  if (length_bytes > 0) length = 0;
  for (std::size_t at = 0; at < length_bytes; ++at) length = length << 8 | byte_at(bytes, 2 + at);
  const std::uint64_t there = std::min<std::uint64_t>(bytes.size() - header_bytes, length);
  FrameRead frame{.first_byte = byte_at(bytes, 0),
                  .masked = masked,
                  .bytes = header_bytes + static_cast<std::size_t>(length),
                  .payload_bytes = length,
                  .payload = std::string(bytes.substr(header_bytes, there))};
  for (std::size_t at = 0; masked && at < frame.payload.size(); ++at) {
    frame.payload[at] = static_cast<char>(frame.payload[at] ^ bytes[mask_at + at % 4]);
  }
  return frame;
}

}  // namespace simulation
