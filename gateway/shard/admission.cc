#include "gateway/shard/admission.hh"

#include <algorithm>
#include <utility>

namespace gateway {

using limits::Cause;

std::chrono::seconds retry_after(limits::Nanoseconds wait) {
  return std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1));
}

Admission::Answer Admission::judge(const config::Address& peer, const Entrance& entrance,
                                   const config::Config& config, limits::Clock::time_point now) {
  Answer answer;
  if (memory_.is_spent()) {
    answer.refused = Cause::kMemory;
    return answer;
  }
  // The address first: who is over its own limit takes no place of others'.
  const auto& headers = entrance.listener().proxy_headers;
  const bool is_to_be_told = headers && headers->from.contain(peer);
  if (!is_to_be_told) answer = judge_client(peer, entrance, config, now);
  if (answer.refused) return answer;
  if (!limits_.connections().take(config.client_limits.connections)) {
    answer.refused = Cause::kConnections;
    return answer;
  }
  answer.holds.in_all = limits::CountHold(limits_.connections());
  limits::LiveCount& of_listener = entrance.connections();
  if (!of_listener.take(entrance.listener().connections_max)) {
    answer.refused = Cause::kListener;
    return answer;
  }
  answer.holds.of_listener = limits::CountHold(of_listener);
  return answer;
}

Admission::Answer Admission::judge_client(const config::Address& client, const Entrance& entrance,
                                          const config::Config& config,
                                          limits::Clock::time_point now) {
  Answer answer;
  const auto octets = config::octets_of(client);
  const auto& list = entrance.listener().access.list;
  if (list != nullptr && !(octets ? list->admits(*octets) : list->admits_others())) {
    answer.refused = Cause::kDeniedPeer;
    return answer;
  }
  if (!octets) return answer;
  // A trusted proxy is no client: those that it speaks for are counted request by request.
  if (config.trusted_proxies.contain(*octets)) return answer;
  const config::AddressLimits& bounds = config.client_limits.address;
  auto judged = limits_.addresses().connect(limits::ClientKey(*octets), limits::bounds_of(bounds),
                                            entrance.contexts() != nullptr, now);
  answer.holds.of_address = std::move(judged.hold);
  switch (judged.refused) {
    case limits::Refused::kNot:
      break;
    case limits::Refused::kConnections:
      answer.refused = Cause::kAddressConnections;
      break;
    case limits::Refused::kRate:
      answer.retry_after = retry_after(judged.wait);
      answer.refused = Cause::kAddressRate;
      break;
    case limits::Refused::kTableFull:
      answer.table_full = bounds.any();
      if (answer.table_full && config.client_limits.table_full == config::TableFull::refuse) {
        answer.refused = Cause::kTableFull;
      }
      break;
  }
  return answer;
}

std::optional<End> Admission::end_for(const Answer& answer, const Entrance& entrance) {
  const bool may_be_told = answer.refused != Cause::kDeniedPeer &&
                           answer.refused != Cause::kMemory && entrance.contexts() == nullptr &&
                           told_ < kToldMax;
  if (!may_be_told) return std::nullopt;
  ++told_;
  const bool is_its_own =
      answer.refused == Cause::kAddressConnections || answer.refused == Cause::kAddressRate;
  return End{.reason = is_its_own ? Reason::kClientOverLimit : Reason::kAtCapacity,
             .detail = is_its_own ? "Too many connections come from this address."
                                  : "There is no room for another connection.",
             .retry_after = answer.retry_after};
}

}  // namespace gateway
