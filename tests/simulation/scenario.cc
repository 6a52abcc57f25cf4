#include "tests/simulation/scenario.hh"

#include <algorithm>
#include <array>

#include "tests/uring/dice.hh"

namespace simulation {
namespace {

struct FaultName {
  unsigned fault;
  std::string_view name;
};
constexpr std::array<FaultName, 8> kFaultNames = {{{kShortResults, "short"},
                                                   {kLate, "late"},
                                                   {kReordered, "reordered"},
                                                   {kMultishotEnds, "multishot-ends"},
                                                   {kSlowCancel, "slow-cancel"},
                                                   {kShortage, "shortage"},
                                                   {kTimeJumps, "time-jumps"},
                                                   {kCoarseTime, "coarse-time"}}};

// Seeds of one number are near each other; the generator's are not to be.
std::uint64_t mixed(std::uint64_t seed, std::uint64_t with) {
  std::uint64_t word = seed * 0x9e3779b97f4a7c15u + with;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
  return word ^ (word >> 31);
}

microseconds any_time(Dice& dice, milliseconds most) {
  const auto bound = static_cast<std::size_t>(std::chrono::microseconds(most).count());
  return microseconds(dice.of_any_size(0, bound));
}

// As near to a limit that a few turns decide.
microseconds about(Dice& dice, milliseconds limit) {
  return limit - milliseconds(20) + microseconds(dice.between(0, 40'000));
}

void draw_deed(Dice& dice, RequestPlan& plan) {
  if (is_wild(plan.pool) && dice.chance(80)) {
    plan.deed = static_cast<Deed>(dice.between(1, 7));
    plan.early = plan.is_upload() && dice.chance(30);
  } else if (plan.is_upload() && dice.chance(10)) {
    plan.deed = Deed::kAnswersEarly;
  }
  plan.deed_at = dice.of_any_size(0, 2 * plan.answer_bytes + 200);
  // Nothing could tell the end from the cut, or from more.
  const bool needs_end = plan.deed == Deed::kCutsBody || plan.deed == Deed::kSurplus;
  if (needs_end && plan.framing == Framing::kUntilClose) {
    plan.framing = Framing::kChunked;
  }
}

RequestPlan draw_request(Dice& dice) {
  constexpr std::array<std::string_view, 5> kMethods = {"GET", "GET", "POST", "PUT", "HEAD"};
  constexpr std::array<unsigned, 6> kStatuses = {200, 200, 200, 204, 404, 500};
  RequestPlan plan;
  plan.method = kMethods[dice.between(0, kMethods.size() - 1)];
  plan.pool = static_cast<PoolKind>(dice.chance(50) ? 0 : dice.between(0, kPoolKinds - 1));
  if (plan.method == "POST" || plan.method == "PUT") {
    plan.upload_bytes = dice.of_any_size(0, 200'000);
    plan.upload_chunked = dice.chance(40);
  }
  plan.status = kStatuses[dice.between(0, kStatuses.size() - 1)];
  plan.answer_bytes = dice.of_any_size(0, 200'000);
  plan.framing = static_cast<Framing>(dice.between(0, 9) / 4);
  plan.interim = dice.chance(10);
  plan.server_closes = dice.chance(10);
  if (dice.chance(40)) plan.thinking = any_time(dice, milliseconds(100));
  if (dice.chance(5)) plan.thinking = about(dice, Limits::kResponse);
  if (dice.chance(15)) plan.rests = any_time(dice, milliseconds(4000));
  if (dice.chance(10)) plan.rests = about(dice, Limits::kPoolIdle);
  draw_deed(dice, plan);
  return plan;
}

void draw_manners(Dice& dice, ClientPlan& plan) {
  if (dice.chance(8)) {
    plan.dawdles_behind = dice.of_any_size(0, 100'000);
    plan.dawdles_for = any_time(dice, milliseconds(70'000));
  }
  if (dice.chance(20)) plan.lingers = any_time(dice, milliseconds(5000));
}

ClientPlan draw_client(const Scenario& scenario, unsigned number) {
  Dice dice(mixed(scenario.seed, number + 1));
  const bool stops = scenario.stop_at.has_value();
  ClientPlan plan;
  plan.number = number;
  plan.comes_at = milliseconds(dice.of_any_size(0, 3000));
  // While the gateway stops: those whose handshake had begun are let in still.
  if (stops && dice.chance(40))
    plan.comes_at = scenario.doors_close_at() + milliseconds(dice.between(0, 110));
  plan.over_unix = dice.chance(30);
  if (scenario.crowd_at_stop && dice.chance(80)) {
    const milliseconds before(dice.between(0, 40));
    plan.comes_at = std::max(scenario.doors_close_at() - before, milliseconds(0));
    plan.over_unix = true;
  }
  if (!plan.over_unix && dice.chance(50)) plan.tls = draw_tls(dice, 20);
  plan.pipelines = dice.chance(25);
  plan.silent = !stops && dice.chance(5);
  if (dice.chance(25)) {
    plan.leaving = static_cast<Leaving>(dice.between(1, 3));
    plan.leaves_after = any_time(dice, milliseconds(1000));
  }
  plan.write_most = dice.chance(50) ? 1 << 20 : dice.of_any_size(1, 20'000);
  plan.read_most = dice.chance(50) ? 1 << 20 : dice.of_any_size(200, 20'000);
  if (dice.chance(50)) plan.pause_max = any_time(dice, milliseconds(20));
  // The slowest are well within the limits: less than a second for the largest body.
  const std::size_t least = std::min(plan.read_most, std::max<std::size_t>(plan.write_most, 100));
  plan.pause_max = std::min(plan.pause_max, microseconds(2 * least));
  draw_manners(dice, plan);
  plan.requests.resize(dice.of_any_size(1, 8));
  for (RequestPlan& request : plan.requests) {
    request = draw_request(dice);
    // A byte at a time is for what is short.
    request.upload_bytes = std::min(request.upload_bytes, 300 * plan.write_most);
  }
  if (dice.chance(40)) {
    RequestPlan& last = plan.requests.back();
    last.method = "GET";
    last.upload_bytes = 0;
    last.upload_chunked = false;
    last.deed = Deed::kAnswers;
    last.interim = false;
    last.websocket = draw_websocket(dice, is_wild(last.pool));
  }
  if (scenario.theme != Theme::kAnything && dice.chance(80)) follow(scenario, dice, plan);
  if (plan.requests.back().websocket) {
    for (MessagePlan& message : plan.requests.back().websocket->client.messages) {
      message.bytes = std::min(message.bytes, 300 * plan.write_most);
    }
    // Where little goes through at a time there is none for so much.
    BreachPlan& breach = plan.requests.back().websocket->client.breach;
    constexpr std::size_t kWide = 50'000;
    if (breach.breach == Breach::kBomb && scenario.window < kWide) {
      breach.breach = Breach::kInflatedLarge;
    }
  }
  return plan;
}

// Instead of what its last request was.
void draw_tunnel_for(std::uint64_t seed, ClientPlan& plan) {
  Dice dice(mixed(seed, 2000 + plan.number));
  if (!dice.chance(60)) return;
  if (dice.chance(50)) plan.requests.resize(1);
  if (dice.chance(50)) plan.leaving = Leaving::kStays;
  RequestPlan& last = plan.requests.back();
  last = RequestPlan{.method = dice.chance(70) ? "GET" : "POST"};
  last.pool = static_cast<PoolKind>(dice.between(0, 3));
  last.answer_bytes = dice.of_any_size(0, 20'000);
  last.tunnel = draw_tunnel(dice);
  last.tunnel->client.bytes = std::min(last.tunnel->client.bytes, 300 * plan.write_most);
  last.tunnel->early_bytes = std::min(last.tunnel->early_bytes, last.tunnel->client.bytes);
}

void draw_clients(Scenario& scenario, const Narrowing& narrowing, std::size_t count) {
  scenario.clients.clear();
  for (unsigned number = 0; number < count; ++number) {
    const bool wanted = !narrowing.clients || std::ranges::count(*narrowing.clients, number) > 0;
    if (!wanted) continue;
    scenario.clients.push_back(draw_client(scenario, number));
    if (scenario.has_tunnels) draw_tunnel_for(scenario.seed, scenario.clients.back());
    auto& requests = scenario.clients.back().requests;
    if (narrowing.requests && requests.size() > *narrowing.requests) {
      requests.resize(*narrowing.requests);
    }
  }
}

bool reloads_often(Theme theme) {
  return theme == Theme::kReloads || theme == Theme::kLongWebSockets || theme == Theme::kPolicies ||
         theme == Theme::kCompression;
}

// Some while the one before, or the stop, is under way.
void draw_adoptions(Dice& dice, Scenario& scenario) {
  const bool crowd = reloads_often(scenario.theme);
  if (!crowd && dice.chance(50)) return;
  auto& times = scenario.adopts_at;
  times.resize(crowd ? dice.between(3, 12) : dice.between(1, 6));
  for (milliseconds& at : times) at = milliseconds(dice.of_any_size(1, crowd ? 3000 : 8000));
  if (scenario.stop_at && dice.chance(50)) {
    const milliseconds before(dice.between(0, 120));
    times.back() = std::max(*scenario.stop_at - before, milliseconds(0));
  }
  std::ranges::sort(times);
}

}  // namespace

std::string_view name_of(PoolKind pool) {
  constexpr std::array<std::string_view, kPoolKinds> kNames = {"app", "closing", "wild", "secure",
                                                               "secure-wild"};
  return kNames[static_cast<std::size_t>(pool)];
}

std::string_view host_of(PoolKind pool) {
  constexpr std::array<std::string_view, kPoolKinds> kHosts = {
      "app.test", "closing.test", "wild.test", "secure.test", "secure-wild.test"};
  return kHosts[static_cast<std::size_t>(pool)];
}

// None has a name of its own.
std::string route_of(PoolKind pool) {
  return "route-" + std::to_string(static_cast<unsigned>(pool) + 1);
}

TlsPlan draw_tls(Dice& dice, unsigned percent_spoilt) {
  TlsPlan plan;
  plan.is_1_2 = dice.chance(25);
  plan.resumes = dice.chance(50);
  if (dice.chance(percent_spoilt)) {
    plan.fault = static_cast<TlsFault>(dice.between(1, kTlsFaults - 1));
  }
  plan.fault_at = dice.of_any_size(0, 60'000);
  plan.rekeys = plan.fault == TlsFault::kNone && plan.fault_at % 3 == 1;
  plan.moves = plan.fault == TlsFault::kNone && plan.fault_at % 3 == 2;
  return plan;
}

std::string_view name_of(Deed deed) {
  constexpr std::array<std::string_view, 8> kNames = {"answers",   "answers-early", "cuts-head",
                                                      "cuts-body", "resets-body",   "stalls",
                                                      "garbage",   "surplus"};
  return kNames[static_cast<std::size_t>(deed)];
}

const RequestPlan* Scenario::request(unsigned client, unsigned number) const {
  const auto at = std::ranges::find(clients, client, &ClientPlan::number);
  if (at == clients.end() || number >= at->requests.size()) return nullptr;
  return &at->requests[number];
}

Scenario draw(std::uint64_t seed, const Narrowing& narrowing) {
  Dice dice(mixed(seed, 0));
  Scenario scenario;
  scenario.seed = seed;
  scenario.salt = narrowing.salt;
  if (dice.chance(40)) scenario.theme = static_cast<Theme>(dice.between(1, kEarlyThemes - 1));
  if (narrowing.theme)
    scenario.theme = is_late(*narrowing.theme) ? Theme::kAnything : *narrowing.theme;
  // Whoever is to meet is on one shard.
  const bool themed = scenario.theme != Theme::kAnything && !reloads_often(scenario.theme);
  const bool shares_memory = scenario.theme == Theme::kCompression;
  scenario.shards = themed || shares_memory ? 1 : static_cast<unsigned>(dice.between(1, 3));
  scenario.byte_cap = dice.chance(60);
  scenario.has_care = true;
  scenario.tight = scenario.theme == Theme::kAnything && seed % 4 == 1;
  for (const FaultName& fault : kFaultNames) {
    const bool rare = fault.fault == kShortage || fault.fault == kTimeJumps;
    const unsigned likely = rare ? 10 : 60;
    if (dice.chance(likely)) scenario.faults |= fault.fault;
  }
  scenario.window = dice.of_any_size(1000, 200'000);
  // Fewer than the gateway makes: most of what a run would do is to fill them.
  scenario.buffers = {32, 4096, 4, 65536};
  if (dice.chance(60)) scenario.buffers = {4, 512, 2, 4096};
  if (dice.chance(15)) scenario.descriptors = dice.between(4, 30);
  if (dice.chance(40)) scenario.stop_at = milliseconds(dice.of_any_size(1, 4000));
  if (scenario.stop_at && dice.chance(40)) {
    scenario.cut_at = *scenario.stop_at + milliseconds(dice.of_any_size(0, 2000));
  }
  scenario.crowd_at_stop = scenario.stop_at && scenario.shards > 1 && dice.chance(40);
  if (scenario.crowd_at_stop) scenario.descriptors = dice.between(4, 16);
  Dice for_drains(mixed(seed, 1000));
  scenario.stop = draw_stop(for_drains);
  const bool drains_often = scenario.theme == Theme::kLongWebSockets;
  if (for_drains.chance(drains_often ? 70 : 35)) scenario.drains = draw_drains(for_drains);
  scenario.unreachable_refuses = dice.chance(70);
  draw_adoptions(dice, scenario);
  Dice for_orphans(mixed(seed, 1001));
  scenario.orphans = draw_orphans(for_orphans, scenario.adopts_at.size());
  Dice for_lists(mixed(seed, 1002));
  if (for_lists.chance(drains_often ? 60 : 30)) scenario.lists = draw_lists(for_lists);
  scenario.lists_outlive = for_lists.chance(50);
  // Where there is room for a client or two, checks would keep them out.
  scenario.has_health = !scenario.crowded() && Dice(mixed(seed, 1005)).chance(45);
  scenario.has_auth = Dice(mixed(seed, 1004)).chance(35);
  scenario.has_tunnels = Dice(mixed(seed, 1003)).chance(45);
  const bool crowd = scenario.crowd_at_stop || scenario.theme != Theme::kAnything;
  draw_clients(scenario, narrowing, dice.of_any_size(crowd ? 8 : 1, 24));
  if (narrowing.faults) scenario.faults &= *narrowing.faults;
  scenario.routes_override = dice.chance(40);
  scenario.has_policies = scenario.theme == Theme::kPolicies ||
                          scenario.theme == Theme::kCompression || dice.chance(40);
  scenario.scarce_memory = dice.chance(scenario.theme == Theme::kCompression ? 50 : 25);
  scenario.has_balance = Dice(mixed(seed, 1002)).chance(60);
  if (dice.chance(50)) scenario.ratio_max = dice.chance(50) ? 0 : 50;
  scenario.proxied = dice.chance(25);
  Dice for_late(mixed(seed, 1010));
  if (const auto late = draw_late_theme(for_late, scenario, narrowing)) {
    scenario.theme = *late;
    prepare_late(for_late, scenario);
    const std::size_t many = scenario.theme == Theme::kHandshakes ? 20 : 0;
    draw_clients(scenario, narrowing, many + for_late.between(10, 30));
  }
  Dice for_looks(mixed(seed, 1020));
  const bool may_look = for_looks.chance(15) && scenario.theme == Theme::kAnything;
  if (may_look && !narrowing.theme) {
    scenario.theme = Theme::kLiveTable;
    prepare_late(for_looks, scenario);
    draw_clients(scenario, narrowing, for_looks.between(15, 45));
  }
  scenario.looks = draw_looks(for_looks, scenario);
  return scenario;
}

std::string names_of_faults(unsigned faults) {
  std::string names;
  for (const FaultName& fault : kFaultNames) {
    if ((faults & fault.fault) != 0) names.append(names.empty() ? "" : ",").append(fault.name);
  }
  return names.empty() ? "none" : names;
}

std::optional<unsigned> faults_from(std::string_view names) {
  unsigned faults = 0;
  if (names == "none") return faults;
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    const auto at = std::ranges::find(kFaultNames, names.substr(0, comma), &FaultName::name);
    if (at == kFaultNames.end()) return std::nullopt;
    faults |= at->fault;
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return faults;
}

}  // namespace simulation
