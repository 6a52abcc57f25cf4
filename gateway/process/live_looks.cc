#include "gateway/process/live_looks.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace gateway {
namespace {

constexpr std::string_view kStops = "the gateway stops: nobody is kicked any more";

LiveAnswer joined(LiveLook& look) {
  LiveAnswer answer;
  LivePage& all = answer.page;
  bool is_full = false;  // one of them: it may have more
  for (LivePage& page : look.pages) {
    is_full |= page.rows.size() == look.query.rows;
    std::ranges::move(page.rows, std::back_inserter(all.rows));
    all.looked_at += page.looked_at;
    all.matched += page.matched;
    all.kicked += page.kicked;
  }
  std::ranges::sort(all.rows, [&](const LiveRow& one, const LiveRow& other) {
    return look.query.is_before(one.place, other.place);
  });
  const bool has_more = is_full || all.rows.size() > look.query.rows;
  if (all.rows.size() > look.query.rows) all.rows.resize(look.query.rows);
  if (has_more && !all.rows.empty()) answer.next = all.rows.back().place;
  return answer;
}

}  // namespace

void LiveLooks::look(LiveQuery query, Done done) {
  push({std::make_shared<LiveLook>(
            LiveLook{.query = std::move(query), .kick = {}, .capture = {}, .pages = {}}),
        std::move(done)});
}

void LiveLooks::capture(LiveQuery query, std::shared_ptr<FrameCapture> capture, Done done) {
  push({std::make_shared<LiveLook>(LiveLook{
            .query = std::move(query), .kick = {}, .capture = std::move(capture), .pages = {}}),
        std::move(done)});
}

void LiveLooks::kick(LiveFilter filter, Kick kick, Kicked kicked) {
  LiveQuery query{.filter = std::move(filter), .rows = 0};
  // How many there are says how long it takes.
  look(query, [this, query, kick = std::move(kick),
               kicked = std::move(kicked)](const LiveAnswer& found) mutable {
    if (!found.is_whole) return kicked(std::unexpected(KickFault{503, std::string(kStops)}));
    const double seconds =
        kick.per_second > 0 ? static_cast<double>(found.page.matched) / kick.per_second : 0;
    if (seconds > std::chrono::duration<double>(kKickTimeMax).count())
      return kicked(std::unexpected(
          KickFault{400, fmt::format("rate: {} connections would take longer than 2h at this rate",
                                     found.page.matched)}));
    const auto slot = free_kick();
    if (!slot)
      return kicked(std::unexpected(KickFault{
          429,
          fmt::format("{} kicks are under way: wait until one of them is through", kKicksMax)}));
    // Taken until the shards have begun.
    const auto waiting = kicks_[*slot] = std::make_shared<ClosingCount>(1);
    const ClosingPlan plan{
        .over = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)),
        .order = config::ClosingOrder::oldest,
        .reason = Reason::kKicked,
        .close_code = kick.code,
        .close_reason = kick.reason,
        .waiting = waiting};
    push({std::make_shared<LiveLook>(
              LiveLook{.query = std::move(query),
                       .kick = LiveLook::Kick{.name = fmt::format("kick {}", *slot + 1),
                                              .paced = PacedPlan(plan, shards_.count())},
                       .capture = {},
                       .pages = {}}),
          [kicked = std::move(kicked), waiting](const LiveAnswer& answer) {
            waiting->fetch_sub(1);
            if (!answer.is_whole && answer.page.kicked == 0)
              return kicked(std::unexpected(KickFault{503, std::string(kStops)}));
            kicked(answer.page.kicked);
          }});
  });
}

std::optional<std::size_t> LiveLooks::free_kick() const {
  const auto free = std::ranges::find_if(
      kicks_, [](const auto& waiting) { return waiting == nullptr || *waiting == 0; });
  if (free == kicks_.end()) return std::nullopt;
  return static_cast<std::size_t>(free - kicks_.begin());
}

void LiveLooks::push(Task task) {
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) begin_next();
}

void LiveLooks::begin_next() {
  const std::shared_ptr<LiveLook>& look = tasks_.front().look;
  look->pages.resize(shards_.count());
  awaited_ = shards_.look(LookOrder{look});
  is_whole_ = awaited_ == shards_.count();
  if (awaited_ == 0) finish();
}

void LiveLooks::reported() {
  if (--awaited_ == 0) finish();
}

void LiveLooks::finish() {
  const Task task = std::move(tasks_.front());
  tasks_.pop_front();
  LiveAnswer answer = joined(*task.look);
  answer.is_whole = is_whole_;
  if (!tasks_.empty()) begin_next();
  task.done(std::move(answer));
}

}  // namespace gateway
