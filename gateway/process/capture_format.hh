// Captured frames as JSON lines, or as pcapng (draft-ietf-opsawg-pcapng) that Wireshark takes apart:
// its exported PDUs (LINKTYPE_WIRESHARK_UPPER_PDU), which name "websocket" as what is in them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/websocket/frame_capture.hh"

namespace gateway {

enum class CaptureFormat : std::uint8_t { kLines, kPcapng };
inline constexpr std::array<std::string_view, 2> kCaptureFormatNames = {"lines", "pcapng"};

// What the file begins with; of lines nothing.
std::string capture_head(CaptureFormat format);
std::string captured_text(CaptureFormat format, const CapturedFrame& frame, bool with_payload);
// Frames came faster than they were taken.
std::string lost_text(CaptureFormat format, std::uint64_t lost);

}  // namespace gateway
