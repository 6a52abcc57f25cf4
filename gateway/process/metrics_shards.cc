// What each shard is busy with, and the sends and receives of all of them, as metrics.
#include "gateway/process/metrics_parts.hh"

namespace gateway {
namespace {

using Type = MetricsText::Type;
using uring::BufferGroup;
using uring::LinkCounts;
using uring::LinkSide;

struct Row {
  MetricLabels labels;
  const Shard* shard;
};

struct Side {
  std::string_view name;
  LinkSide side;
};
constexpr std::array kSides = {Side{"client", LinkSide::kClients},
                               Side{"upstream", LinkSide::kServers}};

}  // namespace

void add_shards(MetricsText& to, const MetricsFacts& facts) {
  std::vector<Row> rows;
  facts.shards.for_each([&](const Shard& shard) {
    rows.push_back({MetricLabels().add("shard", std::to_string(rows.size())), &shard});
  });
  const auto add = [&](Type type, std::string_view name, std::string_view help, auto number_of) {
    to.begin(type, name, help);
    for (const Row& row : rows) to.add(row.labels, std::uint64_t{number_of(*row.shard)});
  };
  add(Type::kGauge, "gateway_shard_connections_open", "Connections of clients that a shard has.",
      [](const Shard& shard) { return shard.under_way().connections.value(); });
  add(Type::kGauge, "gateway_shard_requests_under_way", "Requests that a shard has.",
      [](const Shard& shard) { return shard.under_way().requests.value(); });
  add(Type::kGauge, "gateway_shard_websockets_open", "WebSockets that a shard has.",
      [](const Shard& shard) { return shard.under_way().websockets.value(); });
  add(Type::kCounter, "gateway_shard_turns", "Turns of a shard's loop.",
      [](const Shard& shard) { return shard.turns().turns.value(); });
  add(Type::kCounter, "gateway_shard_completions",
      "Completions of the kernel that a shard has taken.",
      [](const Shard& shard) { return shard.turns().completions.value(); });
  to.begin(Type::kCounter, "gateway_shard_busy_seconds",
           "Processor time of a shard's thread, that of the kernel for it included.");
  const std::vector<double> busy = facts.shards.busy_seconds();
  for (std::size_t index = 0; index < std::min(busy.size(), rows.size()); ++index) {
    to.add(rows[index].labels, busy[index]);
  }
  to.begin(Type::kGauge, "gateway_shard_longest_turn_seconds",
           "The longest turn of the last 15 to 30 seconds.");
  for (const Row& row : rows) {
    const auto longest = row.shard->turns().longest.of_late(facts.now);
    to.add(row.labels, std::chrono::duration<double>(longest).count());
  }
  to.begin(Type::kGauge, "gateway_shard_receive_buffers_free",
           "Buffers that the kernel may fill, of either size.");
  for (const Row& row : rows) {
    const uring::ReceiveBuffers& buffers = row.shard->receive_buffers();
    to.add(row.labels.with("size", "small"), std::uint64_t{buffers.free(BufferGroup::kSmall)});
    to.add(row.labels.with("size", "bulk"), std::uint64_t{buffers.free(BufferGroup::kBulk)});
  }
  to.begin(Type::kGauge, "gateway_shard_receive_buffers", "All of these buffers.");
  for (const Row& row : rows) {
    const uring::ReceiveBuffers& buffers = row.shard->receive_buffers();
    to.add(row.labels.with("size", "small"), std::uint64_t{buffers.count(BufferGroup::kSmall)});
    to.add(row.labels.with("size", "bulk"), std::uint64_t{buffers.count(BufferGroup::kBulk)});
  }
  add(Type::kGauge, "gateway_shard_batches_bytes", "Memory of batches that wait to be sent.",
      [](const Shard& shard) { return shard.batches().in_use(); });
  add(Type::kGauge, "gateway_shard_batch_budget_used_bytes",
      "What slow peers have of the budget of batches, beyond what each may have anyway.",
      [](const Shard& shard) { return shard.batches().committed(); });
  add(Type::kGauge, "gateway_shard_batch_budget_bytes", "That budget.",
      [](const Shard& shard) { return shard.batches().budget(); });
  to.begin(Type::kGauge, "gateway_shard_memory_bytes",
           "A shard's part of the memory that grows with clients, by what it is for.");
  for (const Row& row : rows) {
    for (std::size_t kind = 0; kind < uring::kMemoryKinds; ++kind) {
      to.add(row.labels.with("kind", uring::kMemoryKindNames[kind]),
             std::uint64_t{row.shard->memory().bytes(static_cast<uring::MemoryKind>(kind))});
    }
  }
}

void add_links(MetricsText& to, const MetricsFacts& facts) {
  const auto sum_of = [&](LinkSide side, auto number) {
    std::uint64_t sum = 0;
    facts.shards.for_each(
        [&](const Shard& shard) { sum += (shard.links_counted(side).*number).value(); });
    return sum;
  };
  const auto add = [&](std::string_view name, std::string_view help, auto number) {
    to.begin(Type::kCounter, name, help);
    for (const Side& side : kSides)
      to.add(MetricLabels().add("side", side.name), sum_of(side.side, number));
  };
  add("gateway_sends", "Sends to either side: one carries all that was written meanwhile.",
      &LinkCounts::sends);
  add("gateway_sent_bytes", "Bytes that these sends carried, TLS included.",
      &LinkCounts::sent_bytes);
  add("gateway_receives", "Buffers that were received from either side.", &LinkCounts::receives);
  add("gateway_received_bytes", "Bytes that these buffers had, TLS included.",
      &LinkCounts::received_bytes);
  add("gateway_pushed_back", "Times that a peer was not read, since the other one took nothing.",
      &LinkCounts::held_back);
  to.begin(Type::kCounter, "gateway_pushed_back_seconds",
           "For how long in all, those excepted that are not read now.");
  for (const Side& side : kSides) {
    to.add(MetricLabels().add("side", side.name),
           static_cast<double>(sum_of(side.side, &LinkCounts::held_back_ms)) / 1e3);
  }
  to.begin(Type::kCounter, "gateway_slow_consumers",
           "WebSockets that were closed since this peer took nothing for too long.");
  const auto add_slow = [&](std::string_view side, Reason reason) {
    std::uint64_t sum = 0;
    facts.shards.for_each([&](const Shard& shard) {
      sum += shard.websockets().ended[static_cast<std::size_t>(reason)].value();
    });
    to.add(MetricLabels().add("side", side), sum);
  };
  add_slow("client", Reason::kClientSlow);
  add_slow("upstream", Reason::kUpstreamSlow);
}

}  // namespace gateway
