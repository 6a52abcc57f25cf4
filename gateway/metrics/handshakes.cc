#include "gateway/metrics/handshakes.hh"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "proto/tls/alert.hh"

namespace gateway {
namespace {

constexpr std::array<std::string_view, 3> kVersions = {"other", "TLSv1.2", "TLSv1.3"};
// As wolfSSL calls them, and as they are told.
using Names = std::pair<std::string_view, std::string_view>;
constexpr std::array kGroups = {
    Names{"\n", "other"},
    Names{"", "none"},
    Names{"X25519", "X25519"},
    Names{"SECP256R1", "P-256"},
    Names{"SECP384R1", "P-384"},
    Names{"SECP521R1", "P-521"},
    Names{"X25519MLKEM768", "X25519MLKEM768"},
};
constexpr std::uint32_t kNoAlert = 256;
constexpr std::uint32_t kUnknownAlert = 255;
constexpr std::string_view kUnknown = "unknown";  // as alert_name() says, of that one, too

template <class List, class Name>
std::uint32_t place_in(const List& list, Name name_of, std::string_view name) {
  const auto found = std::ranges::find(list, name, name_of);
  return found == list.end() ? 0 : static_cast<std::uint32_t>(found - list.begin());
}

}  // namespace

std::uint32_t key_of_handshake(const tls::Session& session) {
  const std::uint32_t version = place_in(kVersions, std::identity(), session.version());
  const std::uint32_t group = place_in(kGroups, &Names::first, session.group());
  return (session.resumed() ? 1u : 0u) | version << 1 | group << 3;
}

HandshakeKind handshake_of_key(std::uint32_t key) {
  return {.resumed = (key & 1) != 0,
          .version = kVersions[key >> 1 & 3],
          .group = kGroups[key >> 3].second};
}

std::uint32_t key_of_failure(std::uint8_t cause, const tls::Session* session) {
  std::uint32_t alert = kNoAlert;
  if (session != nullptr && session->error().alert != tls::Error::Alert::kNone)
    alert = session->error().alert_code;
  // Whatever number a peer makes up, it is one.
  const bool is_known =
      alert < kNoAlert && tls::alert_name(session->error().alert_code) != kUnknown;
  if (alert != kNoAlert && !is_known) alert = kUnknownAlert;
  return cause | alert << 8;
}

HandshakeFailure failure_of_key(std::uint32_t key) {
  const std::uint32_t alert = key >> 8;
  return {.cause = static_cast<std::uint8_t>(key),
          .alert = alert == kNoAlert ? "none" : tls::alert_name(static_cast<std::uint8_t>(alert))};
}

}  // namespace gateway
