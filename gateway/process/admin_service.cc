#include "gateway/process/admin_service.hh"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "gateway/admin/page.hh"

namespace gateway {
namespace {

using admin::error_reply;
using admin::Json;
using admin::Reply;
using admin::Request;

constexpr std::chrono::seconds kLiveEvery{1};
constexpr std::chrono::milliseconds kLogEvery{250};
constexpr std::size_t kTopRows = 10;

Reply json_reply(const Json& json, std::uint16_t status = 200) {
  return {.status = status, .body = admin::to_text(json) + "\n"};
}

Reply text_reply(std::uint16_t status, std::string text) {
  return {.status = status, .type = admin::kTextType, .body = std::move(text)};
}

Reply not_found(const Request& request) {
  return error_reply(404, fmt::format("there is no '/{}': docs/admin.md lists what there is",
                                      fmt::join(request.path, "/")));
}

}  // namespace

AdminService::AdminService(Parts parts)
    : parts_(std::move(parts)),
      looks_(parts_.shards),
      history_(parts_.loop, parts_.shards),
      begun_(parts_.loop.now()) {
  note_generation();
}

void AdminService::note_generation() {
  std::erase_if(generations_, [](const Serving& one) { return one.generation.expired(); });
  generations_.push_back({parts_.serving, now_seconds()});
}

Json AdminService::generations() {
  Json all = Json::array();
  for (const Serving& one : generations_) {
    const auto generation = one.generation.lock();
    if (generation == nullptr) continue;
    all.push_back({{"generation", generation->number},
                   {"serving_since", one.since},
                   {"serving", generation == parts_.serving}});
  }
  return {{"generations", std::move(all)}};
}

AdminFacts AdminService::facts() const {
  return {.generation = *parts_.serving,
          .shards = parts_.shards,
          .lists = parts_.lists,
          .drains = parts_.drains,
          .descriptors = parts_.descriptors,
          .limits = parts_.limits,
          .memory = parts_.memory,
          .reloads = parts_.reloads(),
          .earlier = history_.earlier(),
          .busy = history_.busy(),
          .state = parts_.state(),
          .uptime = parts_.loop.now() - begun_,
          .now = parts_.loop.now()};
}

void AdminService::answer(Request request, Done done) {
  const bool reads = request.method == "GET";
  if (!reads) return change(request, done);
  const bool takes_query = !request.path.empty() && (request.path.front() == "connections" ||
                                                     request.path.front() == "ready");
  if (!takes_query && !request.query.empty())
    return done(error_reply(400, fmt::format("'{}' means nothing here", *request.query.unknown())));
  look(request, done);
}

void AdminService::obey_api(std::string_view command, const Control::Reply& reply) {
  const auto word = [&] {
    const std::string_view one = command.substr(0, command.find(' '));
    command.remove_prefix(std::min(command.size(), one.size() + 1));
    return one;
  };
  (void)word();
  Request request{.method = std::string(word()), .path = {}, .query = {}, .body = {}, .accept = {}};
  const std::string_view target = word();
  request.body = command;
  const std::size_t mark = target.find('?');
  auto path = admin::segments_of(target.substr(0, mark));
  auto query = admin::Query::parse(mark == target.npos ? "" : target.substr(mark + 1));
  const auto answer_with = [reply](const Reply& answer) {
    reply({.done = answer.status < 400, .text = answer.body});
  };
  if (!path || !query)
    return answer_with(
        error_reply(400, path ? query.error() : "that is no path of the listener's"));
  request.path = *std::move(path);
  request.query = *std::move(query);
  answer(std::move(request), [answer_with](const Reply& answer) {
    if (answer.more) return answer_with(error_reply(400, "the control socket has pages only"));
    answer_with(answer);
  });
}

void AdminService::look(Request& request, const Done& done) {
  const Path& path = request.path;
  if (path.empty())
    return done({.type = "text/html; charset=utf-8", .body = std::string(admin::page())});
  const std::string& first = path.front();
  if (first == "connections" && path.size() == 1) return find_connections(request, done);
  if (first == "connections" && path.size() == 2) return show_connection(path[1], done);
  if (path.size() == 1 && first == "metrics") return done(metrics(request.accept));
  if (path.size() == 1 && first == "healthz") return done(text_reply(200, "ok\n"));
  if (path.size() == 1 && first == "ready") return done(ready(request));
  if (path.size() == 1 && first == "snapshot") return done({.body = snapshot() + "\n"});
  if (auto json = fact(path)) return done(json_reply(*json));
  done(not_found(request));
}

Reply AdminService::metrics(std::string_view accept) const {
  const bool is_open = accept.find("application/openmetrics-text") != accept.npos;
  const MetricsFormat format = is_open ? MetricsFormat::kOpenMetrics : MetricsFormat::kPrometheus;
  return {.type = content_type_of(format), .body = parts_.metrics(format)};
}

std::optional<Json> AdminService::fact(const Path& path) {
  if (path.empty()) return std::nullopt;
  if (path.front() == "pools" && path.size() == 2) {
    const config::Pool* const pool = pool_of(path[1]);
    return pool == nullptr ? std::nullopt : std::optional(pool_json(facts(), *pool));
  }
  if (path.size() != 1) return std::nullopt;
  const std::string& what = path.front();
  if (what == "version") return version_json();
  if (what == "pools") return Json{{"pools", pools_json(facts())}};
  if (what == "servers") return Json{{"servers", servers_json(facts())}};
  if (what == "routes") return Json{{"routes", routes_json(facts())}};
  if (what == "listeners") return Json{{"listeners", listeners_json(facts())}};
  if (what == "limits") return limits_json(facts());
  if (what == "certificates") return Json{{"certificates", certificates_json(facts().config())}};
  if (what == "shards") return Json{{"shards", shards_json(facts())}};
  if (what == "history") return history_.json();
  if (what == "generations") return generations();
  return std::nullopt;
}

const config::Pool* AdminService::pool_of(const std::string& name) const {
  const auto& pools = parts_.serving->config.pools;
  const auto found = std::ranges::find(pools, name, &config::Pool::name);
  return found == pools.end() ? nullptr : &*found;
}

// Whether somebody new is to be sent here.
Reply AdminService::ready(Request& request) const {
  const auto one = request.query.take("pool");
  const bool all = request.query.take("pools").has_value();
  if (const auto unknown = request.query.unknown())
    return error_reply(400, fmt::format("'{}' is no name here: 'pools', or 'pool=NAME'", *unknown));
  if (one && pool_of(*one) == nullptr)
    return error_reply(404, fmt::format("there is no pool '{}'", *one));
  if (const std::string_view state = parts_.state(); state == "stopping")
    return text_reply(503, "stopping\n");
  for (const config::Pool& pool : parts_.serving->config.pools) {
    if (!all && (!one || pool.name != *one)) continue;
    if (!parts_.lists.has(pool.name)) continue;
    const bool is_served =
        std::ranges::any_of(parts_.lists.servers_of(pool.name), [&](const config::Server& server) {
          const auto state = parts_.drains.state_of(pool.name, server.text);
          return !state->draining() && state->health.takes(parts_.loop.now());
        });
    if (!is_served)
      return text_reply(503, fmt::format("pool {} has no server that takes anything\n", pool.name));
  }
  return text_reply(200, "ready\n");
}

std::optional<admin::Feed> AdminService::feed(const Request& request) {
  if (request.path == Path{"live"})
    return admin::Feed{.subprotocol = "gateway.live",
                       .every = kLiveEvery,
                       .next = [this, told = false]() mutable -> std::optional<std::string> {
                         told = !told;  // one each time
                         if (!told) return std::nullopt;
                         return snapshot();
                       }};
  if (request.path == Path{"log"}) {
    const auto watch = std::make_shared<LogTail::Watch>(parts_.log_writer.tail());
    return admin::Feed{.subprotocol = "gateway.log", .every = kLogEvery, .next = [watch] {
                         return watch->next();
                       }};
  }
  return std::nullopt;
}

std::string AdminService::snapshot() {
  Json json = snapshot_json(facts());
  Json& top = json["top"] = Json::array();
  for (const LiveRow& row : top_) top.push_back(row_json(row));
  look_for_top();
  return admin::to_text(json);
}

// For the next snapshot.
void AdminService::look_for_top() {
  if (std::exchange(looks_for_top_, true)) return;
  LiveQuery query{.sort = LiveSort::kRate, .greatest_first = true, .rows = kTopRows};
  query.filter.kind = LiveKind::kWebSocket;
  looks_.look(query, [this](LiveAnswer answer) {
    top_ = std::move(answer.page.rows);
    looks_for_top_ = false;
  });
}

}  // namespace gateway
