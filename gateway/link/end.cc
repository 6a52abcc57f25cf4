#include "gateway/link/end.hh"

#include <array>
#include <cstring>

namespace gateway {
namespace {

struct Row {
  Reason reason;
  EndPolicy policy;
};

constexpr std::array kTable = {
    Row{Reason::kDone, {"done", Party::kNobody, 0, 0, 0, ""}},
    Row{Reason::kClientLeft,
        {"client-left", Party::kClient, 0, 0, 0, "the client closed the connection"}},
    Row{Reason::kClientReset,
        {"client-reset", Party::kClient, 0, 0, 0, "the client's connection broke"}},
    Row{Reason::kClientTruncated,
        {"client-truncated", Party::kClient, 0, 0, 0,
         "the client's stream ended without a TLS close_notify"}},
    Row{Reason::kClientViolation,
        {"client-violation", Party::kClient, 400, 1002, 1002,
         "the client broke the WebSocket protocol"}},
    Row{Reason::kTlsFailed, {"tls-failed", Party::kClient, 0, 0, 0, "the TLS session failed"}},
    Row{Reason::kPlainHttpOnTls,
        {"plain-http", Party::kClient, 400, 0, 0,
         "This port speaks HTTPS, and plain HTTP arrived. Use https:// or wss:// here."}},
    Row{Reason::kTlsTimeout,
        {"tls-timeout", Party::kGateway, 0, 0, 0, "the TLS handshake took too long"}},
    Row{Reason::kBadProxyHeader,
        {"bad-proxy-header", Party::kClient, 0, 0, 0, "the PROXY header is invalid"}},
    Row{Reason::kProxyHeaderTimeout,
        {"proxy-header-timeout", Party::kGateway, 0, 0, 0, "the PROXY header took too long"}},
    Row{Reason::kRequestTimeout,
        {"request-timeout", Party::kGateway, 408, 0, 0, "The request took too long to arrive."}},
    Row{Reason::kBadRequest, {"bad-request", Party::kClient, 400, 0, 0, "The request is invalid."}},
    Row{Reason::kBadBody,
        {"bad-body", Party::kClient, 400, 0, 0, "The request's body is invalid."}},
    Row{Reason::kBodyTooLarge,
        {"body-too-large", Party::kClient, 413, 0, 0,
         "The request's body is larger than is allowed here."}},
    Row{Reason::kNoRoute,
        {"no-route", Party::kGateway, 404, 0, 0, "No route matches this host and path."}},
    Row{Reason::kMethodNotAllowed,
        {"method-not-allowed", Party::kGateway, 405, 0, 0, "This method is not allowed here."}},
    Row{Reason::kUpgradeRefused,
        {"upgrade-refused", Party::kGateway, 400, 0, 0, "The WebSocket handshake is invalid."}},
    Row{Reason::kOriginRefused,
        {"origin-refused", Party::kGateway, 403, 0, 0,
         "Pages of this origin may not open WebSockets here."}},
    Row{Reason::kSubprotocolRefused,
        {"subprotocol-refused", Party::kGateway, 403, 0, 0,
         "None of the subprotocols that were offered is allowed here."}},
    Row{Reason::kAddressDenied,
        {"address-denied", Party::kGateway, 403, 0, 0, "This address may not come here."}},
    Row{Reason::kClientOverLimit,
        {"client-over-limit", Party::kGateway, 429, 0, 0,
         "More comes from this address than is allowed."}},
    Row{Reason::kAtCapacity,
        {"at-capacity", Party::kGateway, 503, 0, 0, "There is no room for more at the moment."}},
    Row{Reason::kUnauthorized,
        {"unauthorized", Party::kClient, 401, 0, 0,
         "The client has not shown who it is, as is required here."}},
    Row{Reason::kForbidden,
        {"forbidden", Party::kClient, 403, 0, 0, "This client may not have that."}},
    Row{Reason::kAuthBusy,
        {"auth-busy", Party::kGateway, 503, 0, 0,
         "Too many passwords are being checked at the moment."}},
    Row{Reason::kAuthTimeout,
        {"auth-timeout", Party::kGateway, 503, 0, 0, "The password could not be checked in time."}},
    Row{Reason::kShortage,
        {"shortage", Party::kGateway, 503, 0, 0,
         "The gateway can't open another connection to the server."}},
    Row{Reason::kUpstreamUnreachable,
        {"upstream-unreachable", Party::kUpstream, 502, 0, 0, "The server can't be reached."}},
    Row{Reason::kConnectTimeout,
        {"connect-timeout", Party::kUpstream, 504, 0, 0, "The server can't be reached in time."}},
    Row{Reason::kResponseTimeout,
        {"response-timeout", Party::kUpstream, 504, 0, 0, "The server did not answer in time."}},
    Row{Reason::kBadResponse,
        {"bad-response", Party::kUpstream, 502, 1011, 0, "The server's answer is invalid."}},
    Row{Reason::kUpstreamLeft,
        {"upstream-left", Party::kUpstream, 502, 1011, 0,
         "The server closed the connection too soon."}},
    Row{Reason::kUpstreamReset,
        {"upstream-reset", Party::kUpstream, 502, 1011, 0, "The server's connection broke."}},
    Row{Reason::kUpstreamTruncated,
        {"upstream-truncated", Party::kUpstream, 502, 1011, 0,
         "The server's stream ended without a TLS close_notify."}},
    Row{Reason::kUpstreamTlsFailed,
        {"upstream-tls-failed", Party::kUpstream, 502, 1011, 0,
         "The TLS session with the server failed."}},
    Row{Reason::kUpstreamViolation,
        {"upstream-violation", Party::kUpstream, 502, 1011, 1002,
         "the server broke the WebSocket protocol"}},
    Row{Reason::kIdle, {"idle", Party::kGateway, 0, 1001, 1001, "idle for too long"}},
    Row{Reason::kLifetime,
        {"lifetime", Party::kGateway, 0, 1001, 1001, "open for as long as it may be"}},
    Row{Reason::kTokenExpired,
        {"token-expired", Party::kGateway, 0, 1008, 1001, "the client's token has expired"}},
    Row{Reason::kClientNoPong,
        {"client-no-pong", Party::kClient, 0, 1011, 1001, "the client does not answer pings"}},
    Row{Reason::kUpstreamNoPong,
        {"upstream-no-pong", Party::kUpstream, 0, 1011, 1011, "the server does not answer pings"}},
    Row{Reason::kClientMessageTimeout,
        {"client-message-timeout", Party::kClient, 0, 1008, 1001,
         "the client took too long for a message"}},
    Row{Reason::kUpstreamMessageTimeout,
        {"upstream-message-timeout", Party::kUpstream, 0, 1011, 1008,
         "the server took too long for a message"}},
    Row{Reason::kClientOverRate,
        {"client-over-rate", Party::kClient, 0, 1008, 1008, "the client sent more than it may"}},
    Row{Reason::kInflateShortage,
        {"inflate-shortage", Party::kGateway, 0, 1013, 1013, "no memory to inflate a message"}},
    Row{Reason::kClientSlow,
        {"client-slow", Party::kClient, 0, 1013, 1013, "the client does not take what it is sent"}},
    Row{Reason::kUpstreamSlow,
        {"upstream-slow", Party::kUpstream, 0, 1013, 1013,
         "the server does not take what it is sent"}},
    Row{Reason::kCloseTimeout,
        {"close-timeout", Party::kGateway, 0, 0, 0, "the closing took too long"}},
    Row{Reason::kNoServer,
        {"no-server", Party::kGateway, 503, 0, 0,
         "The servers that could answer this take no requests at the moment."}},
    Row{Reason::kQueueFull,
        {"queue-full", Party::kGateway, 503, 0, 0,
         "The servers have as much to do as they can take, and too many wait already."}},
    Row{Reason::kQueueTimeout,
        {"queue-timeout", Party::kGateway, 503, 0, 0,
         "The servers have as much to do as they can take, and none became free in time."}},
    Row{Reason::kDraining,
        {"draining", Party::kGateway, 503, 1001, 1001, "the server takes no more connections"}},
    Row{Reason::kOrphaned,
        {"orphaned", Party::kGateway, 503, 1001, 1001, "its route or its server is gone"}},
    Row{Reason::kRebalanced,
        {"rebalanced", Party::kGateway, 503, 1012, 1001, "another server has room: connect again"}},
    Row{Reason::kKicked,
        {"kicked", Party::kGateway, 503, 1008, 1001, "closed by the operator"}},
    Row{Reason::kStopping,
        {"stopping", Party::kGateway, 503, 1001, 1001, "the gateway is stopping"}},
};

std::string_view describe_errno(int error) {
  const char* text = strerrordesc_np(error);
  return text != nullptr ? text : "unknown error";
}

constexpr bool in_order() {
  for (std::size_t index = 0; index < kTable.size(); ++index) {
    if (kTable[index].reason != static_cast<Reason>(index)) return false;
  }
  return true;
}
static_assert(in_order(), "the table is indexed by reason");
static_assert(kTable.size() == kReasons);

}  // namespace

const EndPolicy& policy_of(Reason reason) {
  return kTable[static_cast<std::size_t>(reason)].policy;
}

std::string_view name_of(Party party) {
  constexpr std::array<std::string_view, kParties> kNames = {"nobody", "client", "upstream",
                                                             "gateway"};
  return kNames[static_cast<std::size_t>(party)];
}

std::uint16_t status_of(const End& end) {
  return end.status != 0 ? end.status : policy_of(end.reason).status;
}

std::string cause_of(const End& end) {
  std::string cause(end.detail.empty() ? policy_of(end.reason).text : end.detail);
  if (end.error != 0) {
    if (cause.ends_with('.')) cause.pop_back();
    cause += ": ";
    cause += describe_errno(end.error);
  }
  return cause;
}

}  // namespace gateway
