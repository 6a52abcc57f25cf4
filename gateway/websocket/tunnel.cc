#include "gateway/websocket/tunnel.hh"

#include <algorithm>
#include <utility>

#include "gateway/log/line.hh"
#include "gateway/log/quoted.hh"
#include "gateway/shard/access_log.hh"
#include "gateway/shard/orphans.hh"
#include "gateway/shard/paced_closing.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

// All that an idle WebSocket holds, but for a line of text and its TLS session (ARCHITECTURE.md has
// the sum).
static_assert(sizeof(Link) <= 312);
static_assert(sizeof(Relay) <= 504);
static_assert(sizeof(Connection) - sizeof(Link) <= 216);
static_assert(sizeof(UpstreamConnection) - sizeof(Link) <= 112);
static_assert(sizeof(Tunnel) - sizeof(Relay) <= 112);
static_assert(Quoted::kBytesMax + 1 <= KeptText::kBytesMax, "a request line is cut before that");

namespace {

ws::ScanRules rules_of(const TunnelOpening& opening) {
  const config::WebSocket& websocket = opening.route.websocket;
  return {.rsv_allowed = opening.rsv_allowed,
          .validation = websocket.validation,
          .frame_bytes_max = static_cast<std::uint32_t>(websocket.frame_bytes_max),
          .message_bytes_max = static_cast<std::uint32_t>(websocket.message_bytes_max)};
}

// What cannot be compressed becomes a little longer on its way here: so the exact bound is judged
// by what it is inflated to.
TranslatedRules translated_rules_of(const TunnelOpening& opening) {
  TranslatedRules rules{.of_client = rules_of(opening), .of_server = rules_of(opening)};
  rules.of_server.rsv_allowed = 0;
  std::uint32_t& most = rules.of_client.message_bytes_max;
  if (most > 0) most = std::min(ws::kBytesMaxMax, most + most / 256 + 1024);
  return rules;
}

}  // namespace

Tunnel::Tunnel(Connection& connection, TunnelOpening opening)
    : connection_(connection),
      generation_(std::move(opening.generation)),
      route_(&opening.route),
      upstream_(&opening.upstream),
      request_line_(connection.frames(), opening.request_line),
      begun_(opening.begun),
      of_route_(std::move(opening.holds.of_route)) {
  keep_occasional(opening);
  uring::Loop& loop = connection.shard().loop();
  Link& client = connection.client();
  Link& upstream = upstream_->link();
  RelayOwner& owner = *this;
  if (!opening.opaque_protocol.empty()) {
    opaque_ = frames().make<OpaqueRelay>(loop, client, upstream, opening.opaque_protocol, owner);
  } else if (opening.deflate) {
    relay_.emplace(loop, client, upstream, translated_rules_of(opening), owner);
  } else {
    relay_.emplace(loop, client, upstream, rules_of(opening), owner);
  }
  upstream_->never_keep();
  if (keeps_contexts()) connection_.shard().codecs().promise_contexts();
  connection_.shard().under_way().websockets.rise();
  server().state().begin_websocket();
  traffic().open.add();
}

Tunnel::Occasional& Tunnel::occasional() {
  if (!occasional_) occasional_ = frames().make<Occasional>(frames(), begun_);
  return *occasional_;
}

void Tunnel::keep_occasional(TunnelOpening& opening) {
  if (opening.marks) occasional().marks = std::move(opening.marks);
  if (opening.holds.of_address) occasional().of_address = std::move(opening.holds.of_address);
  if (opening.token_ends != uring::Clock::time_point::max()) {
    occasional().token_ends = opening.token_ends;
  }
  if (opening.deflate) {
    occasional().deflate = *opening.deflate;
    occasional().inflated_bytes_max = rules_of(opening).message_bytes_max;
  }
}

RelayPolicy Tunnel::policy() {
  renew();
  const config::WebSocket& route = route_->websocket;
  const auto report_every = connection_.shard().config().log.websocket_every;
  const bool with_token = ends_with_token();
  return {
      .idle = route_->timeouts.websocket_idle,
      .upstream_lost_code = route.upstream_lost_code,
      .heartbeat = {.ping = route.ping,
                    .pong_timeout = route.pong_timeout,
                    .to_client = route.ping_to != config::PingTo::upstream,
                    .to_upstream = route.ping_to != config::PingTo::client},
      .ends_at = with_token ? token_ends() : ends_at(),
      .ends_by = with_token ? Reason::kTokenExpired : Reason::kLifetime,
      .lifetime_code = with_token ? route_->auth.jwt->close_at_expiry : route.lifetime_code,
      .message_time = route.message_time,
      .rates = {.bytes = route.bytes_per_second,
                .messages = static_cast<std::uint32_t>(route.messages_per_second),
                .control_frames = static_cast<std::uint32_t>(route.control_frames_per_second),
                .burst = ClientRates::Milliseconds(route.burst),
                .closes = route.over_limit == config::OverLimit::close},
      .slow = {.grace = route.slow_consumer.grace, .close_code = route.slow_consumer.close_code},
      .report_every = report_every,
      .first_report = report_every - own_part_of(report_every),
      .traffic = &traffic()};
}

// Sooner than by its age.
bool Tunnel::ends_with_token() const {
  const auto& jwt = route_->auth.jwt;
  return jwt && jwt->close_at_expiry != 0 && token_ends() < ends_at();
}

uring::Clock::time_point Tunnel::ends_at() const {
  const config::WebSocket& route = route_->websocket;
  if (route.lifetime.count() == 0) return uring::Clock::time_point::max();
  return begun_ + route.lifetime - own_part_of(route.lifetime_jitter);
}

// The same one each time that it is asked, and another one than its neighbours'.
std::chrono::milliseconds Tunnel::own_part_of(std::chrono::milliseconds time) const {
  // Knuth's multiplicative hash: neighbours lie far apart.
  const std::uint64_t part = connection_.id() * 0x9e3779b97f4a7c15u >> 48;
  return time * part / 65536;
}

TranslationTerms Tunnel::translation() {
  const config::WebSocket& route = route_->websocket;
  Shard& shard = connection_.shard();
  return {.agreement = occasional_->deflate,
          .message_bytes_max = occasional_->inflated_bytes_max,
          .compress_min = route.compress_bytes_min,
          .level = static_cast<int>(route.compression_level),
          .ratio_max = static_cast<unsigned>(route.compression_ratio_max),
          .codecs = shard.codecs(),
          .kernel = shard.loop().kernel()};
}

void Tunnel::note_uncompressed() {
  Shard& shard = connection_.shard();
  if (!shard.may_log(LogLevel::warning, "uncompressed")) return;
  LogLine(shard.log(), LogLevel::warning, "connection")
      .number("id", connection_.id())
      .remark("a message goes uncompressed: [limits] compression_memory is used up")
      .write();
}

// It goes by what the newest generation says of its route, and keeps no earlier one; where that has
// no such route any more it goes on as it was.
void Tunnel::renew() {
  CHECK(is_open(), "nobody asks for the policy of one that has settled");
  const uring::Held<ShardGeneration>& newest = connection_.shard().generation();
  if (newest.get() == generation_.get()) return;
  const auto& routes = newest->config().routes;
  const auto route = std::ranges::find_if(
      routes, [this](const config::Route& one) { return carries_on(one, *route_); });
  if (route == routes.end()) return;
  traffic().open.take();  // a route without a name may have another one there
  route_ = &*route;
  generation_ = newest;
  traffic().open.add();
  count_in(&traffic());
  connection_.renew_entrance();
}

// Null: nowhere any more.
void Tunnel::count_in(RouteTraffic* traffic) {
  connection_.client().count_sends_in(traffic != nullptr ? &traffic->from_client.link : nullptr);
  upstream_->link().count_sends_in(traffic != nullptr ? &traffic->from_upstream.link : nullptr);
}

void Tunnel::start(Bytes behind_request, Bytes behind_response) {
  connection_.client().count_from_here(behind_request.size());
  upstream_->link().count_from_here(behind_response.size());
  count_in(&traffic());
  account_for_opened(access(), opaque_ ? "tunnel-opened" : "websocket-opened");
  opaque_ ? opaque_->start(behind_request, behind_response)
          : relay_->start(behind_request, behind_response);
}

Tunnel::~Tunnel() {
  CHECK(upstream_ == nullptr, "it has settled before it goes");
  CHECK(closing_ == nullptr, "nobody closes a WebSocket that has gone");
  if (keeps_contexts()) connection_.shard().codecs().forget_contexts();
}

bool Tunnel::stop(const End& end) {
  if (upstream_ == nullptr) return false;
  opaque_ ? opaque_->stop(end) : relay_->stop(end);
  return true;
}

void Tunnel::close_in_turn(const End& end, std::chrono::milliseconds boundary_time) {
  if (upstream_ == nullptr || is_closing()) return;
  opaque_ ? opaque_->stop(end) : relay_->stop(end, boundary_time);
}

void Tunnel::ask_to_come_again(const End& end, std::chrono::milliseconds boundary_time) {
  occasional().asked_to_come_again = true;
  server().state().asked.fetch_add(1, std::memory_order_relaxed);
  close_in_turn(end, boundary_time);
}

void Tunnel::abort() {
  if (upstream_ != nullptr) upstream_->link().abort();
}

void Tunnel::settle() {
  opaque_ ? opaque_->stop_watching() : relay_->stop_watching();
  if (closing_ != nullptr) closing_->leave(*this);
  connection_.complete(opaque_ ? opaque_->how_ended() : relay_->how_ended());
  opaque_ ? log_opaque() : log();
  traffic().open.take();
  count_in(nullptr);
  ServerState& state = server().state();
  state.end_websocket();
  if (occasional_ && occasional_->asked_to_come_again)
    state.asked.fetch_sub(1, std::memory_order_relaxed);
  const Farewell farewell = farewell_to_upstream();
  connection_.shard().upstreams().close(*std::exchange(upstream_, nullptr), farewell);
  connection_.shard().under_way().websockets.fall();
  of_route_.reset();
  if (occasional_) occasional_->of_address.reset();
}

// Closed properly, a part of a stream in plain text would look like the whole.
Farewell Tunnel::farewell_of_opaque(bool is_whole, Link& link) {
  if (link.session() != nullptr) return is_whole ? Farewell::kPolite : Farewell::kTruncated;
  return is_whole ? Farewell::kWholeOrReset : Farewell::kReset;
}

Farewell Tunnel::farewell_to_upstream() const {
  const bool cut = connection_.is_cut();
  if (!cut && connection_.how_ended().reason == Reason::kClientReset) return Farewell::kReset;
  if (opaque_) {
    const bool is_whole = opaque_->upstream_stream_is_whole();
    const Farewell farewell = farewell_of_opaque(is_whole, upstream_->link());
    if (!cut || farewell == Farewell::kReset) return farewell;
    const bool lacks_end = is_whole && upstream_->link().has_unsent();
    return lacks_end && farewell == Farewell::kWholeOrReset ? Farewell::kReset : Farewell::kNone;
  }
  if (cut) return Farewell::kNone;
  return relay_->upstream_stream_is_whole() ? Farewell::kPolite : Farewell::kTruncated;
}

Farewell Tunnel::farewell_to_client() const {
  if (opaque_) return farewell_of_opaque(opaque_->client_stream_is_whole(), connection_.client());
  return relay_->client_stream_is_whole() ? Farewell::kPolite : Farewell::kTruncated;
}

// Of the first close frame that somebody got to see, or 0.
std::uint16_t Tunnel::close_code() const {
  const bool ours = relay_->closed_by() == Party::kNobody;
  const bool never_sent = ours && connection_.is_cut() && connection_.client().has_unsent();
  return never_sent ? 0 : relay_->close_code();
}

double Tunnel::messages_per_second() {
  constexpr std::chrono::duration<double> kSampleTime = std::chrono::seconds(1);
  if (!relay_) return 0;
  const auto now = connection_.shard().loop().now();
  const std::uint64_t messages = relay_->from_client().messages + relay_->from_upstream().messages;
  Occasional& its = occasional();
  const std::chrono::duration<double> time = now - its.rate_since;
  if (time < kSampleTime) return its.rate;
  its.rate = static_cast<float>(static_cast<double>(messages - its.rate_messages) / time.count());
  its.rate_messages = messages;
  its.rate_since = now;
  return its.rate;
}

Access Tunnel::access() const {
  return {.connection = connection_,
          .generation = *generation_,
          .request_line = request_line_.text(),
          .marks = occasional_ ? occasional_->marks.get() : nullptr,
          .route = route_,
          .server = &server(),
          .begun = begun_};
}

PeerRecord Tunnel::record_of(Party peer) const {
  const bool is_client = peer == Party::kClient;
  Link& link = is_client ? connection_.client() : upstream_->link();
  return {.sent = is_client ? relay_->from_client() : relay_->from_upstream(),
          .wire_bytes_from = link.received_bytes(),
          .wire_bytes_to = link.written_bytes(),
          .pushed_back = relay_->pushed_back(peer),
          .heartbeat = relay_->heartbeat_of(peer)};
}

void Tunnel::report() {
  tell_so_far(access(), {record_of(Party::kClient), record_of(Party::kUpstream)});
}

void Tunnel::log_opaque() const {
  account_for(access(), TunnelRecord{.protocol = opaque_->protocol(),
                                     .client_bytes = opaque_->bytes_from_client(),
                                     .upstream_bytes = opaque_->bytes_from_upstream()});
}

void Tunnel::log() const {
  const End& end = connection_.how_ended();
  const std::uint16_t code = close_code();
  const std::string reason = code != 0 ? relay_->close_reason() : std::string();
  account_for(access(), {record_of(Party::kClient), record_of(Party::kUpstream)},
              {.party = end.is_done() ? relay_->closed_by() : policy_of(end.reason).party,
               .code = code,
               .reason = reason,
               .broken_rule = relay_->broken_rule()});
}

}  // namespace gateway
