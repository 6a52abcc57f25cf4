// The log line of an exchange: what was asked, who answered, how it ended and by whom.
#include "gateway/exchange.hh"
#include "gateway/log/quoted.hh"
#include "gateway/shard.hh"

namespace gateway {

void Exchange::log() {
  if (relay_) {
    log_websocket();
  } else if (head_bytes_ > 0) {
    log_request();
  }
}

void Exchange::log_request() {
  const End& end = connection_.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  const std::uint16_t status = response_begun_ ? status_ : status_of(end);
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      connection_.shard().loop().now() - begun_);
  connection_.shard().log().info(
      "request id={} n={} client={}:{} request={} route={} upstream={} status={} request_bytes={} "
      "response_bytes={} ms={} resends={} end={} by={} cause={}",
      connection_.id(), connection_.requests(), connection_.client_address(),
      connection_.client_port(), Quoted(request_line_), route_ != nullptr ? route_->name : "-",
      server_ != nullptr ? server_->text : "-", status, to_upstream_bytes_, to_client_bytes_,
      elapsed.count(), resends_, policy.word, name_of(policy.party), Quoted(cause_of(end)));
}

void Exchange::log_websocket() {
  const End& end = connection_.how_ended();
  const EndPolicy& policy = policy_of(end.reason);
  const Relay::Counts from_client = relay_->from_client();
  const Relay::Counts from_upstream = relay_->from_upstream();
  const Party party = end.is_done() ? relay_->closed_by() : policy.party;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      connection_.shard().loop().now() - begun_);
  connection_.shard().log().info(
      "websocket id={} n={} client={}:{} request={} route={} upstream={} client_frames={} "
      "client_messages={} client_bytes={} upstream_frames={} upstream_messages={} "
      "upstream_bytes={} ms={} end={} by={} code={} cause={}",
      connection_.id(), connection_.requests(), connection_.client_address(),
      connection_.client_port(), Quoted(request_line_), route_->name, server_->text,
      from_client.frames, from_client.messages, from_client.payload_bytes, from_upstream.frames,
      from_upstream.messages, from_upstream.payload_bytes, elapsed.count(), policy.word,
      name_of(party), relay_->close_code(), Quoted(cause_of(end)));
}

}  // namespace gateway
