// The log line of an exchange: what was asked, who answered, how it ended and by whom.
#include "gateway/exchange/exchange.hh"
#include "gateway/log/level.hh"
#include "gateway/log/quoted.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

// What its operator should look at: a server that gave no proper answer, or the gateway that had no
// means to ask it.
void Exchange::warn_of_failure(const End& end) {
  std::string& name = connection_.shard().scratch();
  name.assign(policy_of(end.reason).word).append(" ").append(server_->text());
  if (!connection_.shard().may_log(LogLevel::warning, name)) return;
  connection_.shard().log().warning("failed upstream={} route={} end={} by={} cause={} id={} n={}",
                                    server_->text(), route_->name, policy_of(end.reason).word,
                                    name_of(policy_of(end.reason).party), Quoted(cause_of(end)),
                                    connection_.id(), connection_.requests());
}

void Exchange::log() {
  const End& end = connection_.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  const std::uint16_t status = client_.has_begun() ? client_.status() : status_of(end);
  const bool server_failed = policy.party == Party::kUpstream || end.reason == Reason::kShortage;
  if (server_ != nullptr && server_failed) warn_of_failure(end);
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      connection_.shard().loop().now() - begun_);
  connection_.shard().log().info(
      "request id={} n={} client={}:{} request={} route={} upstream={} status={} request_bytes={} "
      "response_bytes={} ms={} resends={} end={} by={} cause={}",
      connection_.id(), connection_.requests(), connection_.client_address(),
      connection_.client_port(), Quoted(request_line_), route_ != nullptr ? route_->name : "-",
      server_ != nullptr ? server_->text() : "-", status, to_upstream_bytes_, to_client_bytes_,
      elapsed.count(), resends_, policy.word, name_of(policy.party), Quoted(cause_of(end)));
}

}  // namespace gateway
