// Crowds of one kind: what a fault needs at the same time, which clients that are each drawn for
// themselves bring about too seldom.
#include <algorithm>
#include <array>

#include "tests/simulation/scenario.hh"

namespace simulation {
namespace {

constexpr std::array<std::string_view, kThemes> kThemeNames = {"anything",
                                                               "closing-websockets",
                                                               "hurry-over-tls",
                                                               "uploads-in-a-row",
                                                               "servers-lost-in-uploads",
                                                               "reloads",
                                                               "long-websockets",
                                                               "policies",
                                                               "compression",
                                                               "refusals",
                                                               "rebalance",
                                                               "handshakes",
                                                               "memory",
                                                               "live-table"};

RequestPlan plain_request(Dice& dice) {
  RequestPlan plan;
  plan.answer_bytes = dice.of_any_size(0, 20'000);
  plan.framing = dice.chance(50) ? Framing::kLength : Framing::kChunked;
  return plan;
}

// A few short messages each way.
void say_little(Dice& dice, WebSocketPlan& plan, std::size_t least) {
  plan.client.messages.resize(dice.between(least, 3 + least), {.bytes = 100});
  plan.server.messages.resize(dice.between(0, 3), {.bytes = 100});
}

// Some WebSockets end, and their clients keep the connection for seconds; others ask slow servers
// meanwhile: who touches a connection that is not his any more touches one of theirs.
void close_or_wait(Dice& dice, ClientPlan& plan) {
  plan.requests.clear();
  if (dice.chance(50)) {
    RequestPlan& request = plan.requests.emplace_back(plain_request(dice));
    request.websocket.emplace();
    say_little(dice, *request.websocket, 0);
    request.websocket->closer = static_cast<Closer>(dice.between(0, 2));
    plan.lingers = milliseconds(dice.between(1500, 4000));
    return;
  }
  const std::size_t requests = dice.between(2, 5);
  for (std::size_t at = 0; at < requests; ++at) {
    RequestPlan& request = plan.requests.emplace_back(plain_request(dice));
    request.thinking = milliseconds(dice.between(400, 1400));
    request.server_closes = dice.chance(50);
  }
}

// Servers over TLS that close behind each answer, so that most handshakes resume; and clients that
// leave when one has just been made.
void hurry_over_tls(Dice& dice, ClientPlan& plan) {
  plan.requests.clear();
  const std::size_t requests = dice.between(1, 4);
  for (std::size_t at = 0; at < requests; ++at) {
    RequestPlan& request = plan.requests.emplace_back(plain_request(dice));
    request.pool = PoolKind::kSecure;
    request.server_closes = true;
    request.thinking = milliseconds(dice.between(0, 20));
  }
  if (dice.chance(50)) return;
  plan.leaving = dice.chance(50) ? Leaving::kCloses : Leaving::kResets;
  plan.leaves_after = microseconds(dice.between(0, 40'000));
}

// Uploads, with the next request behind each body.
void upload_in_a_row(Dice& dice, ClientPlan& plan) {
  plan.requests.clear();
  plan.pipelines = true;
  const std::size_t requests = dice.between(2, 5);
  for (std::size_t at = 0; at < requests; ++at) {
    RequestPlan& request = plan.requests.emplace_back(plain_request(dice));
    request.method = dice.chance(50) ? "PUT" : "POST";
    request.upload_bytes = dice.of_any_size(1, 40'000);
    request.upload_chunked = dice.chance(30);
  }
}

// Servers that reset their connection while the upload to them is under way, in the middle of an
// answer that ends with it.
void lose_server_in_upload(Dice& dice, ClientPlan& plan) {
  plan.requests.clear();
  const std::size_t requests = dice.between(1, 3);
  for (std::size_t at = 0; at < requests; ++at) {
    RequestPlan& request = plan.requests.emplace_back(plain_request(dice));
    request.method = dice.chance(50) ? "PUT" : "POST";
    request.pool = PoolKind::kWild;
    request.upload_bytes = dice.between(20'000, 200'000);
    request.framing = Framing::kUntilClose;
    request.deed = Deed::kResetsBody;
    request.deed_at = dice.of_any_size(0, request.answer_bytes);
    request.early = true;
  }
}

// Clients that come, ask again and keep WebSockets while one generation follows the other.
void live_through_reloads(const Scenario& scenario, Dice& dice, ClientPlan& plan) {
  const auto& times = scenario.adopts_at;
  if (!times.empty()) {
    const milliseconds at = times[dice.between(0, times.size() - 1)];
    const milliseconds before(dice.between(0, 40));
    plan.comes_at = std::max(at + milliseconds(dice.between(0, 110)) - before, milliseconds(0));
  }
  plan.over_unix = dice.chance(50);
  plan.tls.reset();
  if (!plan.over_unix && dice.chance(50)) plan.tls = draw_tls(dice, 5);
  plan.leaving = Leaving::kStays;
  plan.pipelines = dice.chance(20);
  plan.requests.clear();
  const std::size_t requests = dice.between(1, 6);
  for (std::size_t at = 0; at < requests; ++at) {
    RequestPlan& request = plan.requests.emplace_back(plain_request(dice));
    request.pool = static_cast<PoolKind>(dice.between(0, kPoolKinds - 1));
    request.rests = milliseconds(dice.of_any_size(0, 1500));
    request.thinking = milliseconds(dice.of_any_size(0, 400));
  }
  if (dice.chance(60)) return;
  RequestPlan& last = plan.requests.back();
  last.websocket.emplace();
  say_little(dice, *last.websocket, 1);
  last.websocket->stays = milliseconds(dice.of_any_size(0, 3000));
}

// WebSockets that stay while their servers are drained, go, and come back.
void stay_long(Dice& dice, ClientPlan& plan) {
  plan.comes_at = milliseconds(dice.between(0, 1500));
  plan.leaving = Leaving::kStays;
  plan.requests.clear();
  RequestPlan& request = plan.requests.emplace_back(plain_request(dice));
  request.pool = dice.chance(80) ? PoolKind::kApp : PoolKind::kSecure;
  request.websocket.emplace();
  say_little(dice, *request.websocket, 1);
  request.websocket->closer = static_cast<Closer>(dice.between(0, 2));
  request.websocket->stays = milliseconds(dice.between(500, 4000));
}

// WebSockets whose ends are alive or dead, keep to the rules or do not, while what their routes say
// of them changes.
void try_policies(Dice& dice, ClientPlan& plan) {
  plan.comes_at = milliseconds(dice.between(0, 1500));
  plan.leaving = Leaving::kStays;
  plan.requests.clear();
  RequestPlan& request = plan.requests.emplace_back(plain_request(dice));
  constexpr std::array<PoolKind, 3> kPools = {PoolKind::kApp, PoolKind::kWild, PoolKind::kSecure};
  request.pool = kPools[dice.between(0, kPools.size() - 1)];
  WebSocketPlan& websocket = request.websocket.emplace(draw_websocket(dice, false));
  if (dice.chance(50)) websocket.closer = static_cast<Closer>(dice.between(0, kClosers - 1));
  if (dice.chance(70)) websocket.stays = milliseconds(dice.between(500, 4500));
  // Most of it is said in little, so that there is time to be silent.
  if (dice.chance(60)) say_little(dice, websocket, 0);
}

// WebSockets that are there at the same time, and whose compression mostly ends at the gateway: so
// that there may be no memory for another one.
void compress_much(Dice& dice, ClientPlan& plan) {
  plan.comes_at = milliseconds(dice.between(0, 500));
  plan.leaving = Leaving::kStays;
  plan.requests.clear();
  RequestPlan& request = plan.requests.emplace_back(plain_request(dice));
  request.pool = dice.chance(80) ? PoolKind::kApp : PoolKind::kSecure;
  WebSocketPlan& websocket = request.websocket.emplace(draw_websocket(dice, false));
  websocket.offers_deflate = dice.chance(90);
  if (dice.chance(60)) websocket.stays = milliseconds(dice.between(500, 3000));
  if (dice.chance(40)) websocket.closer = Closer::kClientBreaks;
  if (dice.chance(60)) {
    const std::size_t breach = dice.between(kBreaches - kCompressedBreaches, kBreaches - 1);
    websocket.client.breach.breach = static_cast<Breach>(breach);
  }
}

}  // namespace

std::string_view name_of(Theme theme) {
  return kThemeNames[static_cast<std::size_t>(theme)];
}

std::optional<Theme> theme_from(std::string_view name) {
  const auto at = std::ranges::find(kThemeNames, name);
  if (at == kThemeNames.end()) return std::nullopt;
  return static_cast<Theme>(at - kThemeNames.begin());
}

void follow(const Scenario& scenario, Dice& dice, ClientPlan& plan) {
  plan.silent = false;
  switch (scenario.theme) {
    case Theme::kAnything:
      return;
    case Theme::kClosingWebSockets:
      return close_or_wait(dice, plan);
    case Theme::kHurryOverTls:
      return hurry_over_tls(dice, plan);
    case Theme::kUploadsInARow:
      return upload_in_a_row(dice, plan);
    case Theme::kServersLostInUploads:
      return lose_server_in_upload(dice, plan);
    case Theme::kReloads:
      return live_through_reloads(scenario, dice, plan);
    case Theme::kLongWebSockets:
      return stay_long(dice, plan);
    case Theme::kPolicies:
      return try_policies(dice, plan);
    case Theme::kCompression:
      return compress_much(dice, plan);
    default:
      return follow_late(scenario, dice, plan);
  }
}

}  // namespace simulation
