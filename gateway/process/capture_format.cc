#include "gateway/process/capture_format.hh"

#include <fmt/format.h>

#include <chrono>

#include "gateway/admin/json.hh"

namespace gateway {
namespace {

using admin::Json;

std::string_view name_of(ws::Opcode opcode) {
  switch (opcode) {
    case ws::Opcode::kContinuation:
      return "continuation";
    case ws::Opcode::kText:
      return "text";
    case ws::Opcode::kBinary:
      return "binary";
    case ws::Opcode::kClose:
      return "close";
    case ws::Opcode::kPing:
      return "ping";
    case ws::Opcode::kPong:
      return "pong";
  }
  return "unknown";
}

std::string line_of(const CapturedFrame& frame, bool with_payload) {
  const std::chrono::duration<double> time = frame.at.time_since_epoch();
  Json json{{"time", time.count()},
            {"from", gateway::name_of(frame.sender)},
            {"opcode", name_of(frame.header.opcode)},
            {"fin", frame.header.fin},
            {"rsv", frame.header.rsv >> 4},
            {"masked", frame.header.masked},
            {"bytes", frame.header.payload_bytes}};
  if (with_payload) {
    json["payload"] = frame.payload;
    json["payload_whole"] = frame.payload.size() == frame.header.payload_bytes;
  }
  return admin::to_text(json) + "\n";
}

// Numbers as this machine has them: a reader finds out by the section header's magic.
class Block {
 public:
  explicit Block(std::uint32_t type) {
    add(type);
    add(std::uint32_t{0});
  }

  template <class Number>
  void add(Number number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void add_padded(std::string_view bytes) {
    bytes_ += bytes;
    bytes_.append((4 - bytes.size() % 4) % 4, '\0');
  }
  void add_option(std::uint16_t code, std::string_view value) {
    add(code);
    add(static_cast<std::uint16_t>(value.size()));
    add_padded(value);
  }
  std::string whole() {
    const auto length = static_cast<std::uint32_t>(bytes_.size() + sizeof(std::uint32_t));
    bytes_.replace(sizeof(std::uint32_t), sizeof length, reinterpret_cast<const char*>(&length),
                   sizeof length);
    add(length);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint16_t kUpperPdu = 252;
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kResolution = 9;
constexpr std::uint16_t kFlags = 2;
constexpr std::uint32_t kInbound = 1;
constexpr std::uint32_t kOutbound = 2;

// Tags of an exported PDU: a type and a length, both big-endian.
std::string pdu_head() {
  constexpr std::string_view kDissector("\x00\x0c\x00\x0cwebsocket\0\0\0", 16);
  constexpr std::string_view kEnd("\0\0\0\0", 4);
  return std::string(kDissector) + std::string(kEnd);
}

std::string packet_of(const CapturedFrame& frame) {
  const ws::EncodedHeader header = ws::encode_header(frame.header);
  const std::string head = pdu_head() + std::string(proto::as_text(header.bytes()));
  // The payload as it is without its mask, whose key is 0 here.
  const std::string data = head + frame.payload;
  const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(frame.at.time_since_epoch());
  const auto ticks = static_cast<std::uint64_t>(time.count());
  const std::uint64_t length = head.size() + frame.header.payload_bytes;
  Block block(kEnhancedPacket);
  block.add(std::uint32_t{0});
  block.add(static_cast<std::uint32_t>(ticks >> 32));
  block.add(static_cast<std::uint32_t>(ticks));
  block.add(static_cast<std::uint32_t>(data.size()));
  block.add(static_cast<std::uint32_t>(std::min<std::uint64_t>(length, UINT32_MAX)));
  block.add_padded(data);
  const std::uint32_t direction = frame.sender == Party::kClient ? kInbound : kOutbound;
  block.add_option(kFlags, {reinterpret_cast<const char*>(&direction), sizeof direction});
  block.add_option(kComment, frame.sender == Party::kClient ? "from the client" : "from the server");
  block.add(std::uint32_t{0});
  return block.whole();
}

}  // namespace

std::string capture_head(CaptureFormat format) {
  if (format == CaptureFormat::kLines) return {};
  Block section(kSectionHeader);
  section.add(std::uint32_t{0x1a2b3c4d});
  section.add(std::uint16_t{1});
  section.add(std::uint16_t{0});
  section.add(std::int64_t{-1});
  Block interface(kInterface);
  interface.add(kUpperPdu);
  interface.add(std::uint16_t{0});
  interface.add(std::uint32_t{0});
  interface.add_option(kResolution, "\x09");  // nanoseconds
  interface.add(std::uint32_t{0});
  return section.whole() + interface.whole();
}

std::string captured_text(CaptureFormat format, const CapturedFrame& frame, bool with_payload) {
  return format == CaptureFormat::kLines ? line_of(frame, with_payload) : packet_of(frame);
}

std::string lost_text(CaptureFormat format, std::uint64_t lost) {
  if (format == CaptureFormat::kPcapng) return {};
  return admin::to_text(Json{{"lost", lost}}) + "\n";
}

}  // namespace gateway
