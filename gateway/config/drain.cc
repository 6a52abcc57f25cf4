// [drain], [reload] and [upgrade]: how the gateway stops, what a reload does with what has lost its
// place, and how a successor takes over.
#include <fmt/format.h>

#include "gateway/config/drain_command.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/units.hh"
#include "proto/ws/close.hh"

namespace gateway::config {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kNone{0};
constexpr milliseconds kDayMax = std::chrono::hours(24);
constexpr milliseconds kUpgradePatienceMax = std::chrono::hours(1);

void read_close_code(TableReader& table, std::uint16_t& code) {
  const toml::node* const node = table.take("close_code");
  if (node == nullptr) return;
  const auto* const number = node->as_integer();
  if (number == nullptr) return table.wrong_type(*node, "close_code", kDrainCloseCodes);
  if (!may_tell_of_drain(number->get())) {
    return table.report().add(
        place_of(node->source()),
        fmt::format("'close_code' must be {}, not {}", kDrainCloseCodes, number->get()));
  }
  code = static_cast<std::uint16_t>(number->get());
}

// TOML is UTF-8 throughout.
void read_close_reason(TableReader& table, std::string& reason) {
  const toml::node* const node = table.take("close_reason");
  if (node == nullptr) return;
  const auto text = table.any_text_of(*node, "close_reason", "a string in quotes");
  if (!text) return;
  if (text->value.size() > ws::kCloseReasonBytesMax) {
    return table.report().add(
        text->place,
        fmt::format("'close_reason' must have at most {} bytes, which is what fits in a close "
                    "frame, not {}",
                    ws::kCloseReasonBytesMax, text->value.size()));
  }
  reason = text->value;
}

void check_hard_stop(const TableReader& table, const DrainSettings& drain) {
  const milliseconds before = drain.delay + drain.over;
  if (drain.hard_stop > before) return;
  table.report().add(
      table.place("hard_stop"),
      fmt::format("'hard_stop', which is {}{}, must be more than 'delay' and 'over' together, {}: "
                  "it would cut what they are to let end",
                  print_duration(drain.hard_stop), table.has("hard_stop") ? "" : " by default",
                  print_duration(before)));
}

}  // namespace

void read_drain(TableReader& file, DrainSettings& drain) {
  file.inner("drain", [&](TableReader& table) {
    const size_t errors_before = table.report().count();
    table.duration("delay", kNone, kDayMax, drain.delay);
    table.duration("over", kNone, kDrainOverMax, drain.over);
    read_close_code(table, drain.close_code);
    read_close_reason(table, drain.close_reason);
    if (const auto order = table.choice("order", kClosingOrderNames))
      drain.order = static_cast<ClosingOrder>(*order);
    table.duration("hard_stop", milliseconds(1), kDayMax, drain.hard_stop);
    // A wrong value has left its default, which would be told of the wrong key.
    if (table.report().count() == errors_before) check_hard_stop(table, drain);
  });
}

void read_reload(TableReader& file, ReloadSettings& reload) {
  file.inner("reload", [&](TableReader& table) {
    if (const auto orphans = table.choice("orphans", kOrphansNames))
      reload.orphans = static_cast<Orphans>(*orphans);
  });
}

void read_upgrade(TableReader& file, UpgradeSettings& upgrade) {
  file.inner("upgrade", [&](TableReader& table) {
    table.duration("patience", milliseconds(1), kUpgradePatienceMax, upgrade.patience);
  });
}

}  // namespace gateway::config
