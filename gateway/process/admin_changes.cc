// What the admin listener does: each as its command line has it, and with a line in the log.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "gateway/config/command_text.hh"
#include "gateway/config/drain_command.hh"
#include "gateway/config/servers_command.hh"
#include "gateway/config/suggest.hh"
#include "gateway/log/line.hh"
#include "gateway/process/admin_service.hh"
#include "gateway/process/body_reader.hh"
#include "gateway/process/live_query.hh"
#include "proto/ws/close.hh"

namespace gateway {
namespace {

using admin::error_reply;
using admin::Json;
using admin::Reply;

constexpr double kKicksPerSecondMax = 1'000'000;
constexpr std::string_view kKickReason = "closed by the operator";

Reply done_reply(bool done, std::string_view text) {
  Json lines = Json::array();
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    lines.push_back(line);
  }
  return {.status = static_cast<std::uint16_t>(done ? 200 : 422),
          .body = admin::to_text(Json{{"done", done}, {"lines", std::move(lines)}}) + "\n"};
}

Reply not_allowed(std::string allow) {
  return {.status = 405,
          .body = admin::to_text(Json{{"error", "this is for " + allow + " only"}}) + "\n",
          .allow = std::move(allow)};
}

// A path that something is done at, "*" for any segment, and the method for it.
struct Action {
  std::array<std::string_view, 3> path;
  std::string_view method;
};
constexpr std::array kActions = {
    Action{{"connections", "kick", ""}, "POST"},
    Action{{"connections", "*", "kick"}, "POST"},
    Action{{"connections", "*", "capture"}, "POST"},
    Action{{"pools", "*", "drain"}, "POST"},
    Action{{"pools", "*", "undrain"}, "POST"},
    Action{{"pools", "*", "servers"}, "PUT"},
    Action{{"reload", "", ""}, "POST"},
    Action{{"log", "level", ""}, "PUT"},
    Action{{"log", "reopen", ""}, "POST"},
};

bool is_at(const Action& action, const std::vector<std::string>& path) {
  const auto segments = static_cast<std::size_t>(
      std::ranges::find(action.path, std::string_view()) - action.path.begin());
  if (path.size() != segments) return false;
  for (std::size_t at = 0; at < segments; ++at) {
    if (action.path[at] != "*" && action.path[at] != path[at]) return false;
  }
  return true;
}

}  // namespace

void AdminService::change(admin::Request& request, const Done& done) {
  const auto action =
      std::ranges::find_if(kActions, [&](const Action& one) { return is_at(one, request.path); });
  if (action == kActions.end()) {
    const bool is_there = request.path.empty() || fact(request.path).has_value() ||
                          request.path.front() == "connections" || request.path.size() == 1;
    if (is_there) return done(not_allowed("GET, HEAD"));
    return done(error_reply(404, "nothing can be done here: docs/admin.md lists what can"));
  }
  if (request.method != action->method) return done(not_allowed(std::string(action->method)));
  if (!request.query.empty())
    return done(error_reply(400, "what is asked for goes into the body, as JSON"));
  auto body = json_body_from(request.body);
  if (!body) return done(error_reply(400, body.error()));
  LogLine(parts_.log, LogLevel::info, "admin")
      .said(": ")
      .bare()
      .word("method", request.method)
      .said(" ")
      .bare()
      .quoted("path", fmt::format("/{}", fmt::join(request.path, "/")))
      .said(" ")
      .bare()
      .quoted("body", request.body)
      .write();
  const Path& path = request.path;
  if (path.back() == "capture") return capture(path, *body, done);
  if (path.front() == "connections") return kick(path, *std::move(body), done);
  if (path.front() == "pools" && path.back() == "servers") return set_servers(path, *body, done);
  if (path.front() == "pools") return drain(path, *body, done);
  if (path.back() == "level") return set_level(*body, done);
  BodyReader reader(*body);
  if (const auto fault = reader.fault()) return done(error_reply(400, *fault));
  if (path.front() == "reload") return obey("reload", done);
  parts_.reopen_log();
  done(done_reply(true, "the log is opened again\n"));
}

void AdminService::obey(std::string_view command, const Done& done) {
  parts_.obey(command, [done](const Control::Answer& answer) {
    done(done_reply(answer.done, answer.text));
  });
}

void AdminService::drain(const Path& path, const Json& body, const Done& done) {
  BodyReader reader(body);
  const bool drains = path.back() == "drain";
  const auto server = reader.text("server");
  config::DrainWords words{.target = server ? path[1] + "/" + *server : path[1]};
  if (drains) {
    words.over = reader.text("over");
    if (const auto code = reader.number("code")) words.code = fmt::to_string(*code);
    words.reason = reader.text("reason");
  }
  if (const auto fault = reader.fault()) return done(error_reply(400, *fault));
  if (pool_of(path[1]) == nullptr)
    return done(error_reply(404, fmt::format("there is no pool '{}'", path[1])));
  const auto command = config::drain_command(drains, words);
  if (!command) return done(error_reply(400, command.error()));
  obey(config::line_of(*command), done);
}

void AdminService::set_servers(const Path& path, const Json& body, const Done& done) {
  BodyReader reader(body);
  config::ServersWords words{.pool = path[1], .verb = "set", .servers = reader.texts("servers")};
  if (const auto fault = reader.fault()) return done(error_reply(400, *fault));
  if (pool_of(path[1]) == nullptr)
    return done(error_reply(404, fmt::format("there is no pool '{}'", path[1])));
  if (words.servers.empty()) words.verb = "reset";
  const auto command = config::servers_command(words, "/");
  if (!command) return done(error_reply(400, command.error()));
  const std::string line = config::line_of(*command);
  if (line.size() >= config::kServersLineBytesMax)
    return done(error_reply(413, "these are more servers than one command can have"));
  obey(line, done);
}

void AdminService::set_level(const Json& body, const Done& done) {
  BodyReader reader(body);
  const auto level = reader.text("level");
  if (const auto fault = reader.fault()) return done(error_reply(400, *fault));
  const auto found = std::ranges::find(kLogLevelNames, level.value_or(""));
  if (found == kLogLevelNames.end())
    return done(
        error_reply(400, fmt::format("level: '{}' is none of {}{}", level.value_or(""),
                                     fmt::join(kLogLevelNames, ", "),
                                     config::did_you_mean(level.value_or(""), kLogLevelNames))));
  parts_.log_writer.set_level(static_cast<LogLevel>(found - kLogLevelNames.begin()));
  done(done_reply(true, fmt::format("the log has level {} until a reload changes it\n", *level)));
}

void AdminService::kick(const Path& path, Json body, const Done& done) {
  BodyReader reader(body);
  const bool is_one = path.size() == 3;
  LiveLooks::Kick kick{.reason = reader.text("reason").value_or(std::string(kKickReason))};
  const auto code = reader.number("code").value_or(1008);
  LiveFilter filter;
  if (is_one) {
    std::uint64_t id = 0;
    const std::string& text = path[1];
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || stop != text.data() + text.size())
      return done(error_reply(404, fmt::format("'{}' is no connection's id", text)));
    filter.id = id;
  } else {
    kick.per_second = reader.real("rate").value_or(0);
    const bool all = reader.boolean("all").value_or(false);
    const std::size_t taken = reader.taken();
    auto read = live_filter_from([&](std::string_view name) { return reader.scalar(name); });
    if (!read) return done(error_reply(400, read.error()));
    filter = *std::move(read);
    filter.opened_only = !filter.kind.has_value();
    if (reader.taken() == taken && !all)
      return done(error_reply(400, "this has no filter: {\"all\": true} means everybody"));
  }
  if (const auto fault = reader.fault()) return done(error_reply(400, *fault));
  const bool may_close = code == 1000 || code == 1001 || (code >= 1008 && code <= 1014) ||
                         (code >= 3000 && code <= 4999);
  if (!may_close)
    return done(
        error_reply(400, fmt::format("code: {} is none of 1000, 1001, 1008 to 1014 and 3000 "
                                     "to 4999",
                                     code)));
  if (config::has_control_character(kick.reason))
    return done(error_reply(400, "reason: it is one line of plain text"));
  if (kick.reason.size() > ws::kCloseReasonBytesMax)
    return done(error_reply(
        400, fmt::format("reason: it has more than {} bytes", ws::kCloseReasonBytesMax)));
  if (kick.per_second < 0 || kick.per_second > kKicksPerSecondMax)
    return done(error_reply(400, "rate: it is a number of WebSockets a second, or 0"));
  kick.code = static_cast<std::uint16_t>(code);
  looks_.kick(
      std::move(filter), std::move(kick),
      [this, done, is_one](std::expected<std::size_t, LiveLooks::KickFault> kicked) {
        if (!kicked) return done(error_reply(kicked.error().status, kicked.error().why));
        const bool stops = parts_.state() == "stopping";
        if (is_one && *kicked == 0)
          return done(stops ? error_reply(503, "the gateway stops, and has closed it")
                            : error_reply(404, "there is no such connection any more"));
        LogLine(parts_.log, LogLevel::info, "admin").said(":").number("kicked", *kicked).write();
        done({.body = admin::to_text(Json{{"kicked", *kicked}}) + "\n"});
      });
}

}  // namespace gateway
