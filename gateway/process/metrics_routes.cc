// What went through listeners and routes, as metrics.
#include <map>

#include "gateway/metrics/handshakes.hh"
#include "gateway/process/merged.hh"
#include "gateway/process/metrics_parts.hh"
#include "gateway/shard/accounting.hh"
#include "gateway/shard/websocket_counters.hh"

namespace gateway {
namespace {

using Type = MetricsText::Type;
using Listeners = Merged<ListenerTraffic>;
using Routes = Merged<RouteTraffic>;

constexpr std::string_view kOther = "other";

// One sample for each of them, by its label.
template <class Kind, class Number>
void add_each(MetricsText& to, const Merged<Kind>& all, Number number) {
  for (const auto& [labels, parts] : all.entries()) to.add(labels, sum_of(parts, number));
}

template <class Kind, class Histogram>
void add_histograms(MetricsText& to, const Merged<Kind>& all, Histogram histogram) {
  for (const auto& [labels, parts] : all.entries()) {
    add_histogram(to, labels, parts, histogram);
  }
}

// Where no route is called so, it stands for none, and none has no WebSockets.
Routes routes_of_websockets(const CountersOfShards& shards) {
  Routes all(shards, &Counters::routes, {"route"});
  const MetricLabels none = MetricLabels().add("route", Counters::kNoRoute);
  for (const auto& [labels, parts] : all.entries()) {
    if (labels.text() != none.text()) continue;
    if (sum_of(parts, [](const auto& one) { return one.opened.value(); }) == 0) {
      all.leave_out(none);
      break;
    }
  }
  return all;
}

std::string class_name(std::size_t status_class) {
  return status_class == 0 ? "none" : std::to_string(status_class) + "xx";
}

std::string_view word_of(Reason reason) {
  return policy_of(reason).word;
}

// Of both directions of a route, named by who has sent.
template <class Add>
void for_each_flow(const Routes& routes, std::string_view label, Add add) {
  struct Way {
    Party sender;
    WebSocketFlow RouteTraffic::*flow;
  };
  constexpr std::array kWays = {Way{Party::kClient, &RouteTraffic::from_client},
                                Way{Party::kUpstream, &RouteTraffic::from_upstream}};
  for (const auto& [labels, parts] : routes.entries()) {
    for (const Way& way : kWays) add(labels.with(label, name_of(way.sender)), parts, way.flow);
  }
}

constexpr std::string_view kFrom = "from";

std::vector<double> size_bounds() {
  std::vector<double> bounds;
  for (std::size_t index = 0; index + 1 < ws::MessageSizes::kClasses; ++index) {
    bounds.push_back(static_cast<double>(ws::MessageSizes::bytes_max(index)));
  }
  return bounds;
}

}  // namespace

void add_listeners(MetricsText& to, const CountersOfShards& shards) {
  const Listeners all(shards, &Counters::listeners, {"listener"});
  to.begin(Type::kCounter, "gateway_connections_accepted", "Connections of clients that came in.");
  add_each(to, all, [](const ListenerTraffic& one) { return one.accepted.value(); });
  to.begin(Type::kGauge, "gateway_connections_open", "Connections of clients that are open.");
  add_each(to, all, [](const ListenerTraffic& one) { return one.open.value(); });
  to.begin(Type::kCounter, "gateway_tls_handshakes", "TLS handshakes with clients that were done.");
  for (const auto& [labels, parts] : all.entries()) {
    add_tally(
        to, parts, [](const auto& one) -> const auto& { return one.handshakes; },
        [&, &its = labels](std::uint32_t key) { return labels_of_handshake(its, key); },
        labels.with("resumed", kOther).add("version", kOther).add("group", kOther));
  }
  to.begin(Type::kCounter, "gateway_tls_handshake_failures",
           "TLS handshakes with clients that came to nothing.");
  for (const auto& [labels, parts] : all.entries()) {
    const auto labels_of = [&its = labels](std::uint32_t key) {
      const HandshakeFailure failure = failure_of_key(key);
      return its.with("cause", word_of(static_cast<Reason>(failure.cause)))
          .add("alert", failure.alert);
    };
    add_tally(
        to, parts, [](const auto& one) -> const auto& { return one.handshake_failures; }, labels_of,
        labels.with("cause", kOther).add("alert", kOther));
  }
  to.begin(Type::kHistogram, "gateway_tls_handshake_seconds",
           "Time of TLS handshakes that were done, from the connection's first moment on.");
  add_histograms(
      to, all, [](const auto& one) -> const auto& { return one.handshake; });
}

void add_requests(MetricsText& to, const CountersOfShards& shards) {
  const Routes all(shards, &Counters::routes, {"route"});
  to.begin(Type::kCounter, "gateway_requests", "Requests that have ended, WebSockets excepted.");
  for (const auto& [labels, parts] : all.entries()) {
    const auto labels_of = [&its = labels](std::uint32_t key) {
      const RequestEnding ending = request_ending_of(key);
      return its.with("code", class_name(ending.status_class)).add("cause", word_of(ending.reason));
    };
    add_tally(
        to, parts, [](const auto& one) -> const auto& { return one.ended; }, labels_of,
        labels.with("code", kOther).add("cause", kOther));
  }
  to.begin(Type::kHistogram, "gateway_request_seconds",
           "Time of requests, from their first byte to their last one or their end.");
  add_histograms(
      to, all, [](const auto& one) -> const auto& { return one.request; });
  to.begin(Type::kHistogram, "gateway_first_byte_seconds",
           "Time from a request's first byte to the head of its server's answer.");
  add_histograms(
      to, all, [](const auto& one) -> const auto& { return one.first_byte; });
  to.begin(Type::kCounter, "gateway_request_body_bytes", "Bytes of bodies that servers were sent.");
  add_each(to, all, [](const auto& one) { return one.request_bytes.value(); });
  to.begin(Type::kCounter, "gateway_response_body_bytes",
           "Bytes of bodies that clients were sent.");
  add_each(to, all, [](const auto& one) { return one.response_bytes.value(); });
  to.begin(Type::kCounter, "gateway_request_resends", "Requests that were sent once more.");
  add_each(to, all, [](const auto& one) { return one.resends.value(); });
}

void add_websockets(MetricsText& to, const CountersOfShards& shards) {
  const Routes all = routes_of_websockets(shards);
  to.begin(Type::kCounter, "gateway_websockets_opened",
           "WebSockets that were opened, tunnels of other protocols included.");
  add_each(to, all, [](const auto& one) { return one.opened.value(); });
  to.begin(Type::kGauge, "gateway_websockets_open", "WebSockets that are open.");
  add_each(to, all, [](const auto& one) { return one.open.value(); });
  to.begin(Type::kCounter, "gateway_websockets_closed",
           "WebSockets that have ended, by whom, with which close code, and why.");
  for (const auto& [labels, parts] : all.entries()) {
    const auto labels_of = [&its = labels](std::uint32_t key) {
      const WebSocketEnding ending = websocket_ending_of(key);
      return its.with("side", name_of(ending.party))
          .add("code", name_of_close_class(ending.close_class))
          .add("cause", word_of(ending.reason));
    };
    add_tally(
        to, parts, [](const auto& one) -> const auto& { return one.closed; }, labels_of,
        labels.with("side", kOther).add("code", kOther).add("cause", kOther));
  }
  to.begin(Type::kHistogram, "gateway_websocket_upgrade_seconds",
           "Time from the first byte of a WebSocket's request to the 101.");
  add_histograms(
      to, all, [](const auto& one) -> const auto& { return one.upgrade; });
  to.begin(Type::kHistogram, "gateway_websocket_lifetime_seconds",
           "Time of WebSockets that have ended, from the first byte of their requests on.");
  add_histograms(
      to, all, [](const auto& one) -> const auto& { return one.lifetime; });
}

void add_messages(MetricsText& to, const CountersOfShards& shards) {
  const Routes all = routes_of_websockets(shards);
  const auto add_flows = [&](std::string_view label, auto number_of) {
    for_each_flow(all, label, [&](const MetricLabels& labels, const auto& parts, auto flow) {
      to.add(labels, sum_of(parts, [&](const auto& one) { return number_of(one.*flow); }));
    });
  };
  to.begin(Type::kCounter, "gateway_websocket_messages",
           "Messages that were passed on, those of open WebSockets included.");
  add_flows(kFrom, [](const WebSocketFlow& flow) {
    std::uint64_t messages = 0;
    for (std::size_t at = 0; at < ws::MessageSizes::kClasses; ++at)
      messages += flow.sizes.count(at);
    return messages;
  });
  to.begin(Type::kCounter, "gateway_websocket_payload_bytes",
           "Payload of messages that was passed on, those of open WebSockets included.");
  add_flows(kFrom, [](const WebSocketFlow& flow) { return flow.payload_bytes.value(); });
  to.begin(Type::kHistogram, "gateway_websocket_message_size_bytes",
           "Payload of messages as they came, compressed ones as such.");
  const std::vector<double> bounds = size_bounds();
  for_each_flow(all, kFrom, [&](const MetricLabels& labels, const auto& parts, auto flow) {
    std::array<std::uint64_t, ws::MessageSizes::kClasses> below{};
    for (std::size_t at = 0; at < below.size(); ++at) {
      below[at] = sum_of(parts, [&](const auto& one) { return (one.*flow).sizes.count(at); });
    }
    // What has passed, and not what headers promise, which may be anything.
    to.add(labels, bounds, below, static_cast<double>(sum_of(parts, [&](const auto& one) {
             return (one.*flow).payload_bytes.value();
           })));
  });
  to.begin(Type::kCounter, "gateway_compression_plain_bytes",
           "Payload that the gateway has inflated or compressed, as it is without compression.");
  add_flows(kFrom, [](const WebSocketFlow& flow) { return flow.plain_bytes.value(); });
  to.begin(Type::kCounter, "gateway_compression_compressed_bytes", "The same, compressed.");
  add_flows(kFrom, [](const WebSocketFlow& flow) { return flow.compressed_bytes.value(); });
  to.begin(Type::kHistogram, "gateway_websocket_ping_seconds",
           "Round trips of the gateway's own pings, to either peer.");
  for_each_flow(all, "peer", [&](const MetricLabels& labels, const auto& parts, auto flow) {
    add_histogram(
        to, labels, parts, [&](const auto& one) -> const auto& { return (one.*flow).ping; });
  });
  to.begin(Type::kCounter, "gateway_websocket_sends",
           "Sends to either side of WebSockets: one carries all that was written meanwhile.");
  add_flows("side", [](const WebSocketFlow& flow) { return flow.link.sends.value(); });
  to.begin(Type::kCounter, "gateway_websocket_sent_bytes",
           "Bytes that these sends carried, TLS included.");
  add_flows("side", [](const WebSocketFlow& flow) { return flow.link.sent_bytes.value(); });
  to.begin(Type::kCounter, "gateway_websocket_pushed_back",
           "Times that a peer of a WebSocket was not read, since the other one took nothing.");
  add_flows("side", [](const WebSocketFlow& flow) { return flow.link.held_back.value(); });
  to.begin(Type::kCounter, "gateway_websocket_pushed_back_seconds",
           "For how long in all, those excepted that are not read now.");
  for_each_flow(all, "side", [&](const MetricLabels& labels, const auto& parts, auto flow) {
    to.add(labels,
           static_cast<double>(sum_of(
               parts, [&](const auto& one) { return (one.*flow).link.held_back_ms.value(); })) /
               1e3);
  });
  to.begin(Type::kCounter, "gateway_websocket_rate_paused_seconds",
           "Time for which clients were not read, since they had sent more than they may.");
  for (const auto& [labels, parts] : all.entries()) {
    to.add(labels, static_cast<double>(sum_of(
                       parts, [](const auto& one) { return one.from_client.paused_ms.value(); })) /
                       1e3);
  }
}

}  // namespace gateway
