// The log line of an exchange: what was asked, who answered, how it ended and by whom.
#include "gateway/exchange/exchange.hh"
#include "gateway/log/level.hh"
#include "gateway/log/quoted.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

// What its operator should look at: a server that gave no proper answer, or the gateway that had no
// means to ask it.
void Exchange::warn_of_failure(const End& end) {
  std::string& name = connection().shard().scratch();
  name.assign(policy_of(end.reason).word).append(" ").append(server_->text());
  if (!connection().shard().may_log(LogLevel::warning, name)) return;
  connection().shard().log().warning(
      "failed upstream={} route={} end={} by={} cause={} id={} n={}", server_->text(),
      facts_.route->name, policy_of(end.reason).word, name_of(policy_of(end.reason).party),
      Quoted(cause_of(end)), connection().id(), connection().requests());
}

void Exchange::log() {
  const End& end = connection().how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  const std::uint16_t status = client_.has_begun() ? client_.status() : status_of(end);
  const bool server_failed = policy.party == Party::kUpstream || end.reason == Reason::kShortage;
  if (server_ != nullptr && server_failed) warn_of_failure(end);
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      connection().shard().loop().now() - begun_);
  connection().shard().log().info(
      "request id={} n={} client={}:{} request={} route={} upstream={} status={} request_bytes={} "
      "response_bytes={} ms={} resends={} end={} by={} cause={}",
      connection().id(), connection().requests(), connection().client_address(),
      connection().client_port(), Quoted(facts_.request_line),
      facts_.route != nullptr ? facts_.route->name : "-",
      server_ != nullptr ? server_->text() : "-", status, request_.payload_bytes(),
      response_.payload_bytes(), elapsed.count(), resends_, policy.word, name_of(policy.party),
      Quoted(cause_of(end)));
}

}  // namespace gateway
