#include "gateway/process/reload.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/log/key_file.hh"

namespace gateway {
namespace {

// Of a reload that changes more the rest is counted.
constexpr std::size_t kChangesToldMax = 12;

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  const std::size_t told = std::min(parts.size(), kChangesToldMax);
  for (std::size_t index = 0; index < told; ++index) {
    text += (index > 0 ? ", " : "") + parts[index];
  }
  if (told < parts.size()) text += fmt::format(", and {} more", parts.size() - told);
  return text;
}

// A certificate that was made in memory stays what clients know.
void keep_self_signed(const std::optional<config::Tls>& before, std::optional<config::Tls>& now) {
  if (before && now && before->self_signed && now->self_signed) now->pems = before->pems;
}

void keep_self_signed(const config::Config& before, config::Config& now) {
  for (config::Listener& listener : now.listeners) {
    const auto earlier =
        std::ranges::find(before.listeners, listener.address, &config::Listener::address);
    if (earlier != before.listeners.end()) keep_self_signed(earlier->tls, listener.tls);
  }
  keep_self_signed(before.admin.tls, now.admin.tls);
}

// What holds from the start to the end: so the next comparison is with what really is.
void keep_until_restart(const config::Config& before, config::Config& now) {
  now.shards = before.shards;
  now.account = before.account;
  now.filters_system_calls = before.filters_system_calls;
  now.pid_file = before.pid_file;
  now.control = before.control;
  now.admin.address = before.admin.address;
  now.admin.unix_file = before.admin.unix_file;
  if (now.admin.tls.has_value() != before.admin.tls.has_value()) now.admin.tls = before.admin.tls;
  now.log.buffer_bytes = before.log.buffer_bytes;
  now.limits.compression_bytes = before.limits.compression_bytes;
  now.client_limits.addresses = before.client_limits.addresses;
}

}  // namespace

Reload::Reload(const Parts& parts, Loader::Read read, uring::Loop& loop, uring::Bell& bell)
    : parts_(parts),
      bell_(bell),
      loader_(std::move(read), bell),
      loaded_or_adopted_(loop.ready()) {}

Reload::~Reload() = default;

void Reload::request(Answer answer) {
  if (!refusal_.empty()) {
    parts_.log.warning("reload: refused: {}", refusal_);
    if (answer) answer({.done = false, .lines = {"refused: " + refusal_}});
    return;
  }
  if (answer) waiting_.push_back(std::move(answer));
  wanted_ = true;
  if (!story_.done()) return;
  story_ = story();
  story_.start();
}

uring::Task<> Reload::story() {
  while (refusal_.empty() && std::exchange(wanted_, false)) {
    answered_ = std::exchange(waiting_, {});
    result_ = {};
    parts_.manager.reloading("reloading");
    co_await load_and_adopt();
    if (refusal_.empty()) parts_.manager.ready("serving");
    answer_all();
  }
  answered_ = std::exchange(waiting_, {});
  result_ = {.done = false, .lines = {"refused: " + refusal_}};
  answer_all();
  bell_.ring();
}

uring::Task<> Reload::load_and_adopt() {
  loaded_or_adopted_.clear();
  if (const int error = loader_.begin(); error != 0) {
    fail(fmt::format("no thread to read the configuration: {}", strerrordesc_np(error)));
    co_return;
  }
  co_await loaded_or_adopted_.wait();
  auto loaded = std::exchange(loaded_, std::nullopt);
  if (parts_.on_loaded) parts_.on_loaded(*loaded);
  if (!loaded->config) {
    fail(loaded->config.error());
    co_return;
  }
  const bool adopts = prepare(*std::move(loaded->config));
  if (!adopts) co_return;
  co_await loaded_or_adopted_.wait();
  parts_.sockets.close_all_but(parts_.serving->config.listeners);
  parts_.descriptors.set_listeners(parts_.sockets.count());
  tell_what_changed();
}

// True: the shards adopt it. Else it is told why not.
bool Reload::prepare(config::Config config) {
  const config::SharedGeneration earlier = parts_.serving;
  if (!refusal_.empty()) {
    fail(refusal_);
    return false;
  }
  keep_self_signed(earlier->config, config);
  difference_ = config::compare(earlier->config, config);
  keep_until_restart(earlier->config, config);
  for (const std::string& key : difference_.needs_restart) {
    say(LogLevel::warning, fmt::format("reload: {} stays as it is until a restart", key));
  }
  if (difference_.changes.empty()) {
    ++counts_.unchanged;
    result_.done = true;
    if (!config.log.tls_keys.empty()) {
      parts_.log_writer.reopen_keys(config.log.tls_keys);
      say(LogLevel::warning, told_of_tls_keys(config.log.tls_keys));
    }
    say(LogLevel::info, "reload: no change");
    parts_.lists.look_again();
    return false;
  }
  if (auto checked = parts_.check(config); !checked) {
    fail(std::move(checked.error()));
    return false;
  }
  if (auto opened = parts_.sockets.open(config.listeners, parts_.shards.count()); !opened) {
    fail(std::move(opened.error()));
    return false;
  }
  parts_.descriptors.set_listeners(parts_.sockets.count());
  for (const std::string& warning : config.warnings) say(LogLevel::warning, warning);
  parts_.serving =
      std::make_shared<const config::Generation>(earlier->number + 1, std::move(config));
  apply_log_settings(earlier->config.log);
  if (parts_.on_serving) parts_.on_serving();
  parts_.sockets.refuse_new_but(parts_.serving->config.listeners);
  adopted_ = 0;
  kept_ = {};
  orphans_ = 0;
  loaded_or_adopted_.clear();
  parts_.shards.adopt(parts_.serving, earlier->config, parts_.lists.adopt(parts_.serving->config),
                      parts_.orphans.plan(parts_.serving->config));
  return true;
}

void Reload::apply_log_settings(const config::LogSettings& before) {
  const config::LogSettings& now = parts_.serving->config.log;
  if (now.level != before.level) parts_.log_writer.set_level(now.level);
  parts_.log_writer.reopen(now.targets);
  parts_.log_writer.reopen_keys(now.tls_keys);
}

void Reload::tell_what_changed() {
  ++counts_.applied;
  result_.done = true;
  const std::size_t leave = std::max<std::size_t>(orphans_, parts_.orphans.waiting());
  say(LogLevel::info,
      fmt::format("reload: generation {}: {}; {} websockets and {} requests kept, {}",
                  parts_.serving->number, joined(difference_.changes),
                  kept_.websockets - std::min(leave, kept_.websockets), kept_.requests,
                  parts_.orphans.tell(parts_.serving->config, orphans_)));
}

void Reload::fail(const config::Errors& errors) {
  for (const config::Error& error : errors) say(LogLevel::error, error.text());
  fail(
      fmt::format("{} error{} in the configuration", errors.size(), errors.size() == 1 ? "" : "s"));
}

void Reload::fail(std::string why) {
  ++counts_.failed;
  say(LogLevel::error,
      fmt::format("reload: failed: {}; generation {} goes on", why, parts_.serving->number));
}

void Reload::say(LogLevel level, std::string line) {
  parts_.log.line(level, "{}", line);
  result_.lines.push_back(std::move(line));
}

void Reload::answer_all() {
  for (const Answer& answer : std::exchange(answered_, {})) answer(result_);
}

void Reload::look() {
  if (auto loaded = loader_.take()) {
    loaded_ = std::move(loaded);
    loaded_or_adopted_.set();
  }
}

void Reload::note_adopted(const Report& report) {
  kept_ += report.under_way;
  orphans_ += report.closing;
  if (++adopted_ == parts_.shards.count()) loaded_or_adopted_.set();
}

}  // namespace gateway
