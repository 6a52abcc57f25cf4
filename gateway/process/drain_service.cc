#include "gateway/process/drain_service.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "gateway/config/units.hh"
#include "gateway/process/closing_plan.hh"
#include "gateway/process/words.hh"

namespace gateway {
namespace {

std::string name_of(const ServerDrains::Target& target) {
  return "drain: " + target.text();
}

void fail(const Control::Reply& reply, const std::string& why) {
  reply({.done = false, .text = "gateway: error: " + why + "\n"});
}

std::string closes(std::size_t websockets, std::chrono::milliseconds over) {
  return fmt::format("{} {} closed {}", counted(websockets, "websocket"),
                     websockets == 1 ? "is" : "are",
                     over.count() == 0 ? "at once" : "over " + config::print_duration(over));
}

}  // namespace

void DrainService::obey(std::string_view line, const config::Config& config,
                        const Control::Reply& reply) {
  const auto command = config::drain_command_from(line);
  if (!command) return fail(reply, command.error());
  command->drains ? drain(*command, config, reply) : undrain(*command, config, reply);
}

void DrainService::drain(const config::DrainCommand& command, const config::Config& config,
                         const Control::Reply& reply) {
  const ServerDrains::Target target{command.pool, command.server};
  ClosingPlan plan = closing_plan(config.drain, Reason::kDraining);
  plan.over = command.over.value_or(plan.over);
  plan.close_code = command.close_code.value_or(plan.close_code);
  plan.close_reason = command.close_reason.value_or(plan.close_reason);
  const bool is_last = leaves_nobody(config, target);
  const auto done = [this, target, is_last, over = plan.over,
                     reply](std::optional<std::size_t> websockets) {
    if (!websockets) return fail(reply, ServerDrains::kRefused);
    watch_.begin(name_of(target), over, drains_.look_at(target), "finished: nothing is left there");
    std::string text = fmt::format("draining {}: {}\n", target.text(), closes(*websockets, over));
    if (is_last) {
      text += fmt::format("pool {} has no other server: requests for it are answered with 503\n",
                          target.pool);
    }
    reply({.done = true, .text = std::move(text)});
  };
  const auto begun = drains_.drain(config, target, std::move(plan), done);
  if (!begun) fail(reply, begun.error());
}

void DrainService::undrain(const config::DrainCommand& command, const config::Config& config,
                           const Control::Reply& reply) {
  const ServerDrains::Target target{command.pool, command.server};
  const bool is_drained = drains_.has_drained(target);
  const auto done = [target, is_drained, reply](std::optional<std::size_t> answered) {
    if (!answered) return fail(reply, ServerDrains::kRefused);
    reply({.done = true,
           .text = target.text() + (is_drained ? " is drained no more\n" : " is not drained\n")});
  };
  const auto begun = drains_.undrain(config, target, done);
  if (!begun) return fail(reply, begun.error());
  watch_.end(name_of(target));
}

bool DrainService::leaves_nobody(const config::Config& config,
                                 const ServerDrains::Target& target) const {
  const auto pool = std::ranges::find(config.pools, target.pool, &config::Pool::name);
  if (pool == config.pools.end()) return false;
  return std::ranges::all_of(drains_.servers_of(*pool), [&](const config::Server& server) {
    return target.means(server.text) || drains_.is_drained(pool->name, server.text);
  });
}

}  // namespace gateway
