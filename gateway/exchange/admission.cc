// Whether a request is let in, once its head is there: by the lists of its route, by what its
// client's address may ask for, and by how much its route has under way.
#include <optional>
#include <utility>

#include "gateway/exchange/exchange.hh"
#include "gateway/rewrite/client_of.hh"
#include "gateway/shard/admission.hh"
#include "gateway/shard/shard.hh"

namespace gateway {
namespace {

using limits::Cause;

bool asks_server(const Judged& judged) {
  return std::holds_alternative<Judged::Proxy>(judged.verdict) ||
         std::holds_alternative<Judged::Tunnel>(judged.verdict) ||
         std::holds_alternative<Judged::Opaque>(judged.verdict);
}

}  // namespace

// False: it was refused.
bool Exchange::admit(const Judged& judged) {
  if (const End* const refused = connection().refused()) {
    connection().end(*refused);
    return false;
  }
  const config::AddressLimits& bounds = config().client_limits.address;
  const config::AddressList* const list =
      judged.route != nullptr ? judged.route->access.list.get() : nullptr;
  std::optional<config::Octets> client;
  if (bounds.any() || list != nullptr) client = find_client();
  if (client && !admit_address(*client, asks_server(judged))) return false;
  const bool denied = list != nullptr && !(client ? list->admits(*client) : list->admits_others());
  if (denied) return refuse(Cause::kDeniedClient, {.reason = Reason::kAddressDenied});
  if (!asks_server(judged)) return true;
  limits::LiveCount& of_route = facts_.generation->under_way_of(*judged.route);
  if (!of_route.take(judged.route->limits.connections_max)) {
    return refuse(Cause::kRoute, {.reason = Reason::kAtCapacity,
                                  .detail = "There is no room for another request of this route.",
                                  .retry_after = std::chrono::seconds(1)});
  }
  holds_.of_route = limits::CountHold(of_route);
  return true;
}

// Nothing: it has no address.
std::optional<config::Octets> Exchange::find_client() {
  const auto peer = connection().peer().octets();
  if (!connection().peer_trusted()) return peer;
  return client_of(facts_.heads->request.fields, facts_.heads->request_buffer(), peer,
                   config().trusted_proxies);
}

bool Exchange::admit_address(const config::Octets& client, bool is_to_be_held) {
  const config::ClientLimits& limits = config().client_limits;
  if (!limits.address.any()) return true;
  limits::AddressTable& addresses = connection().shard().admission().limits().addresses();
  const limits::AddressBounds bounds = limits::bounds_of(limits.address);
  const auto now = connection().shard().loop().now();
  limits::AddressTable::Answer answer;
  if (bounds.request_rate.is_limited()) {
    answer = addresses.request(limits::ClientKey(client), bounds, now);
  }
  const bool is_counted = connection().peer_trusted() && is_to_be_held;
  if (answer.refused == limits::Refused::kNot && is_counted) {
    answer = addresses.hold(limits::ClientKey(client), bounds, now);
    holds_.of_address = std::move(answer.hold);
  }
  switch (answer.refused) {
    case limits::Refused::kNot:
      return true;
    case limits::Refused::kConnections:
      return refuse(Cause::kAddressConnections,
                    {.reason = Reason::kClientOverLimit,
                     .detail = "This address has too many requests and WebSockets under way.",
                     .retry_after = std::chrono::seconds(1)});
    case limits::Refused::kRate:
      return refuse(Cause::kAddressRequests,
                    {.reason = Reason::kClientOverLimit, .retry_after = retry_after(answer.wait)});
    case limits::Refused::kTableFull:
      break;
  }
  connection().shard().note_table_full();
  if (limits.table_full == config::TableFull::allow) return true;
  return refuse(Cause::kTableFull, {.reason = Reason::kAtCapacity,
                                    .detail = "Too many addresses are being served.",
                                    .retry_after = std::chrono::seconds(1)});
}

bool Exchange::refuse(Cause cause, const End& end) {
  connection().shard().note_refused(cause);
  connection().end(end);
  return false;
}

}  // namespace gateway
