#include "tests/simulation/live_judge.hh"

#include <algorithm>
#include <iterator>

#include "gateway/shard/live_scan.hh"
#include "tests/simulation/door_plan.hh"
#include "tests/simulation/generations.hh"
#include "tests/simulation/proxied.hh"

namespace simulation {

using gateway::LiveKind;
using gateway::LiveLook;
using gateway::LivePage;
using gateway::LivePlace;
using gateway::LiveRow;

void LiveJudge::begin(std::shared_ptr<const LiveLook> look, std::optional<unsigned> kick,
                      bool in_pages, bool goes_on) {
  look_ = std::move(look);
  kick_ = kick;
  begun_ = stage_.now();
  in_pages_ = in_pages;
  looked_at_.assign(look_->pages.size(), 0);
  seen_.clear();
  open_ = open_now();
  if (kick && look_->query.rows == 0) stage_.kicks.blind.insert(*kick);
  if (goes_on) return;
  walk_open_ = open_;
  walk_seen_.clear();
  walk_shown_.clear();
}

// WebSockets and tunnels of which both the client and the gateway know.
std::vector<LiveJudge::Request> LiveJudge::open_now() const {
  std::vector<Request> open;
  for (const auto& [request, trail] : stage_.trails) {
    const bool has_opened = trail.websocket.client.opened || trail.tunnel.client.opened;
    if (has_opened && trail.lines.empty()) open.push_back(request);
  }
  return open;
}

void LiveJudge::begin_turn(unsigned shard) {
  if (stage_.scenario.looks.looks.empty()) return;
  ports_before_.resize(stage_.scenario.shards);
  ports_ = std::exchange(ports_before_[shard], {});
  for (const auto& [number, on] : stage_.system->descriptors) {
    if (on.stream != nullptr) ports_before_[shard].insert(on.stream->port());
    for (const Stream& stream : on.waiting) ports_before_[shard].insert(stream->port());
  }
  ports_.insert(ports_before_[shard].begin(), ports_before_[shard].end());
}

void LiveJudge::end_turn(unsigned shard) {
  if (!look_) return;
  const LivePage& page = look_->pages[shard];
  constexpr std::size_t kMost = gateway::LiveScan::kAtOnce;
  const std::size_t most = std::min(look_->at_once.value_or(kMost), kMost);
  const std::size_t looked_at = page.looked_at - std::exchange(looked_at_[shard], page.looked_at);
  if (looked_at > most) fail("shard {} looks at {} connections in a turn", shard, looked_at);
  if (page.rows.size() > look_->query.rows) fail("a page of {} rows", page.rows.size());
  std::set<std::uint64_t> ids;
  for (const LiveRow& row : page.rows) {
    if (!ids.insert(row.id).second) fail("connection {} is there twice", row.id);
    if (!seen_.insert(row.id).second) continue;
    judge_row(row, shard);
    if (kick_) note_kicked(row);
  }
}

void LiveJudge::note_kicked(const LiveRow& row) {
  std::optional<unsigned> client;
  if (const auto request = request_of(row)) client = request->first;
  if (row.port >= kFirstPort) client = row.port - kFirstPort;
  const milliseconds over = look_->kick->paced.plan.over;
  // Where it was looked at in earlier turns something else may close it meanwhile.
  const bool in_a_turn = !look_->at_once && !stage_.stopping;
  const bool is_open = row.details && !row.details->is_closing &&
                       (row.kind == LiveKind::kWebSocket || row.kind == LiveKind::kTunnel);
  stage_.kicks.all.push_back({.id = row.id,
                              .kick = *kick_,
                              .kind = row.kind,
                              .client = client,
                              .over = over,
                              .is_sure = in_a_turn && is_open && over.count() == 0,
                              .done_at = {}});
}

std::optional<LivePlace> LiveJudge::end() {
  const LiveLook& look = *look_;
  std::vector<LiveRow> rows;
  std::size_t matched = 0;
  bool is_full = false;
  for (const LivePage& page : look.pages) {
    judge_page(page);
    matched += page.matched;
    is_full |= page.rows.size() == look.query.rows;
    std::ranges::copy(page.rows, std::back_inserter(rows));
  }
  judge_missing(rows, matched, is_full);
  for (Kicked& one : stage_.kicks.all) {
    if (kick_ && !one.done_at) one.done_at = stage_.now();
  }
  std::ranges::sort(rows, [&](const LiveRow& one, const LiveRow& other) {
    return look.query.is_before(one.place, other.place);
  });
  const bool has_more = is_full || rows.size() > look.query.rows;
  rows.resize(std::min(rows.size(), look.query.rows));
  for (const LiveRow& row : rows) {
    if (!in_pages_) break;
    if (!walk_seen_.insert(row.id).second) fail("connection {} is on two pages", row.id);
    const bool is_open = row.kind == LiveKind::kWebSocket || row.kind == LiveKind::kTunnel;
    if (const auto request = request_of(row); request && is_open) walk_shown_.insert(*request);
  }
  const bool goes_on = has_more && !rows.empty();
  if (in_pages_ && !goes_on) judge_walk();
  look_.reset();
  return goes_on ? std::optional(rows.back().place) : std::nullopt;
}

void LiveJudge::judge_page(const LivePage& page) {
  const gateway::LiveQuery& query = look_->query;
  for (std::size_t at = 1; at < page.rows.size(); ++at) {
    if (!query.is_before(page.rows[at - 1].place, page.rows[at].place)) {
      fail("connection {} is behind {}", page.rows[at].id, page.rows[at - 1].id);
    }
  }
  const bool adds_up = page.rows.size() <= page.matched && page.matched <= page.looked_at &&
                       page.kicked <= page.matched;
  if (!adds_up) {
    fail("{} rows, of {} that match, of {}, and {} kicked", page.rows.size(), page.matched,
         page.looked_at, page.kicked);
  }
  if (!look_->kick && page.kicked > 0) fail("{} are kicked by a mere look", page.kicked);
  const bool all_fit = page.rows.size() < query.rows && !query.after;
  if (all_fit && page.rows.size() != page.matched) {
    fail("{} rows, and {} match", page.rows.size(), page.matched);
  }
}

// `is_full`: a page has no room for more.
void LiveJudge::judge_missing(const std::vector<LiveRow>& rows, std::size_t matched, bool is_full) {
  const gateway::LiveQuery& query = look_->query;
  const bool may_end_early = query.sort == gateway::LiveSort::kId && !query.greatest_first &&
                             !query.counts_all && !look_->kick;
  if (is_full && may_end_early) return;
  std::size_t sure = 0;
  for (const Request& request : open_) {
    if (!stage_.trails[request].lines.empty() || !surely_matches(request)) continue;
    ++sure;
    if (is_full || query.after) continue;
    const bool is_shown =
        std::ranges::any_of(rows, [&](const LiveRow& row) { return request_of(row) == request; });
    if (!is_shown) fail("{} is not shown", target_of(request.first, request.second));
  }
  // A stream does not look at what it has had.
  const bool skips_some = query.stream != 0 && query.after;
  if (matched < sure && !skips_some) fail("{} match, of {} who do", matched, sure);
}

// Each was on one of the pages.
void LiveJudge::judge_walk() {
  for (const Request& request : walk_open_) {
    if (!stage_.trails[request].lines.empty() || !surely_matches(request)) continue;
    if (walk_shown_.contains(request)) continue;
    fail("{} is on no page", target_of(request.first, request.second));
  }
}

bool LiveJudge::is_from(const ClientPlan& client, const gateway::config::Network& network) const {
  if (client.entry() == Entry::kUnix) return false;
  const bool is_told = !stage_.scenario.proxied || !is_local(client.number);
  const std::uint32_t address =
      address_of_home(is_told ? home_of(stage_.scenario, client.number) : 0);
  gateway::config::Octets octets{};
  octets[10] = octets[11] = 0xff;
  for (unsigned at = 0; at < 4; ++at)
    octets[12 + at] = static_cast<std::uint8_t>(address >> (24 - 8 * at));
  return network.contains(octets);
}

// Of one that was open at the beginning, whatever it has done since.
bool LiveJudge::surely_matches(const Request& request) const {
  const gateway::LiveFilter& filter = look_->query.filter;
  const ClientPlan* const whose = client(request.first);
  const RequestPlan& plan = whose->requests[request.second];
  const Trail& trail = stage_.trails[request];
  const bool is_websocket = trail.websocket.generation != 0;
  const Time opened_at = is_websocket ? trail.websocket.opened_at : trail.tunnel.opened_at;
  const auto is = [](const std::string& wanted, std::string_view has) {
    return wanted.empty() || wanted == has;
  };
  const LiveKind kind = is_websocket ? LiveKind::kWebSocket : LiveKind::kTunnel;
  // What it has said lately, and what waits for it, is not known so exactly.
  const bool is_doubtful = filter.id || filter.idle.count() > 0 || filter.buffered_bytes > 0 ||
                           filter.messages_per_second > 0;
  return !is_doubtful && filter.kind.value_or(kind) == kind &&
         is(filter.route, route_of(plan.pool)) && is(filter.pool, name_of(plan.pool)) &&
         is(filter.server, trail.site) &&
         is(filter.listener, kListeners[static_cast<std::size_t>(whose->entry())]) &&
         (!filter.client || is_from(*whose, *filter.client)) &&
         (filter.age.count() == 0 || begun_ - opened_at >= filter.age + milliseconds(1));
}

const ClientPlan* LiveJudge::client(unsigned number) const {
  const auto& clients = stage_.scenario.clients;
  const auto at = std::ranges::find(clients, number, &ClientPlan::number);
  return at == clients.end() ? nullptr : &*at;
}

std::uint64_t LiveJudge::some_id(Dice& dice) const {
  if (clients_.empty()) return 1;
  return std::next(clients_.begin(),
                   static_cast<std::ptrdiff_t>(dice.between(0, clients_.size() - 1)))
      ->first;
}

// The log, too, tells of that connection as of that client's.
void LiveJudge::judge_end() const {
  for (const auto& [id, number] : clients_) {
    const auto logged = stage_.logged.find(id);
    const bool is_other =
        logged != stage_.logged.end() && logged->second.client && *logged->second.client != number;
    if (is_other) {
      stage_.chronicle.fail("look", "connection {} was client {}'s: the log says {}", id, number,
                            *logged->second.client);
    }
  }
}

}  // namespace simulation
