// Why a connection, an exchange or a WebSocket ended, and by whom. The first End wins; one table
// turns it into what each side is told: HTTP status, close codes, log words.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gateway {

enum class Reason : std::uint8_t {
  kDone,
  kClientLeft,
  kClientReset,
  kClientTruncated,
  kClientViolation,
  kTlsFailed,
  kPlainHttpOnTls,
  kTlsTimeout,
  kBadProxyHeader,
  kProxyHeaderTimeout,
  kRequestTimeout,
  kBadRequest,
  kBadBody,
  kBodyTooLarge,
  kNoRoute,
  kMethodNotAllowed,
  kUpgradeRefused,
  kOriginRefused,
  kSubprotocolRefused,
  kAddressDenied,
  kClientOverLimit,
  kAtCapacity,
  kUnauthorized,
  kForbidden,
  kAuthBusy,
  kAuthTimeout,
  kShortage,
  kUpstreamUnreachable,
  kConnectTimeout,
  kResponseTimeout,
  kBadResponse,
  kUpstreamLeft,
  kUpstreamReset,
  kUpstreamTruncated,
  kUpstreamTlsFailed,
  kUpstreamViolation,
  kIdle,
  kLifetime,
  kTokenExpired,
  kClientNoPong,
  kUpstreamNoPong,
  kClientMessageTimeout,
  kUpstreamMessageTimeout,
  kClientOverRate,
  kInflateShortage,
  kClientSlow,
  kUpstreamSlow,
  kCloseTimeout,
  kNoServer,
  kQueueFull,
  kQueueTimeout,
  kDraining,
  kOrphaned,
  kRebalanced,
  kKicked,
  kStopping,
};
inline constexpr std::size_t kReasons = static_cast<std::size_t>(Reason::kStopping) + 1;

enum class Party : std::uint8_t { kNobody, kClient, kUpstream, kGateway };
inline constexpr std::size_t kParties = 4;

struct End {
  Reason reason = Reason::kDone;
  std::uint16_t status = 0;             // HTTP status, where the reason alone does not decide it
  std::uint16_t close_code = 0;         // WebSocket, likewise
  int error = 0;                        // errno, where the system said why
  std::string_view detail;              // static text, or living as long as the connection
  std::chrono::seconds retry_after{0};  // what the client is told, where it may try again

  bool is_done() const { return reason == Reason::kDone; }
};

// What follows from a reason. 0: nothing is said.
struct EndPolicy {
  std::string_view word;              // in the log
  Party party;                        // who ended it
  std::uint16_t status;               // what the client gets if no response has begun
  std::uint16_t client_close_code;    // what an open WebSocket's client gets
  std::uint16_t upstream_close_code;  // and its upstream
  std::string_view text;              // one sentence for people: body and close reason
};

const EndPolicy& policy_of(Reason reason);
std::string_view name_of(Party party);

// The server has gone, by whatever way, without having said so.
constexpr bool is_lost_upstream(Reason reason) {
  return reason == Reason::kUpstreamLeft || reason == Reason::kUpstreamReset ||
         reason == Reason::kUpstreamTruncated || reason == Reason::kUpstreamTlsFailed ||
         reason == Reason::kUpstreamNoPong;
}

// The status to answer with: the End's own, or its policy's.
std::uint16_t status_of(const End& end);

// What happened, for the log: detail, and errno's text.
std::string cause_of(const End& end);

}  // namespace gateway
