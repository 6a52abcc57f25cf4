#include "tests/simulation/websocket_plan.hh"

#include <array>

namespace simulation {
namespace {

MessagePlan draw_message(Dice& dice) {
  MessagePlan plan{.bytes = dice.of_any_size(0, 40'000)};
  plan.kind = static_cast<MessageKind>(dice.between(0, kMessageKinds - 1));
  plan.deflated = dice.chance(60);
  if (dice.chance(30)) plan.fragments = dice.between(2, 5);
  if (dice.chance(10)) plan.control_frames = dice.between(1, 4);
  return plan;
}

EndPlan draw_end(Dice& dice) {
  constexpr std::array<unsigned, 6> kCodes = {1000, 1000, 1001, 3000, 4999, 0};
  EndPlan plan;
  plan.messages.resize(dice.of_any_size(0, 30));
  for (MessagePlan& message : plan.messages) message = draw_message(dice);
  if (dice.chance(30)) plan.rhythm = microseconds(dice.of_any_size(1, 400'000));
  if (dice.chance(20)) {
    plan.pongs = dice.chance(50) ? Pongs::kLate : Pongs::kNone;
    plan.late_by = milliseconds(dice.between(1, 3000));
  }
  plan.breach = {static_cast<Breach>(dice.between(1, kBreaches - 1)), dice.between(0, 999)};
  if (dice.chance(40)) plan.unfinished_bytes = dice.of_any_size(1, 300);
  plan.close_code = kCodes[dice.between(0, kCodes.size() - 1)];
  plan.close_text_bytes = dice.of_any_size(0, 123);
  return plan;
}

Closer draw_closer(Dice& dice, bool of_wild) {
  if (dice.chance(30)) return static_cast<Closer>(dice.between(6, kClosers - 1));
  return static_cast<Closer>(dice.between(0, of_wild ? 5 : 4));
}

}  // namespace

WebSocketPlan draw_websocket(Dice& dice, bool of_wild) {
  WebSocketPlan plan;
  plan.client = draw_end(dice);
  plan.server = draw_end(dice);
  plan.closer = draw_closer(dice, of_wild);
  if (dice.chance(30)) plan.stays = microseconds(dice.of_any_size(0, 3'000'000));
  plan.badly_answered = of_wild && dice.chance(25);
  plan.offers_deflate = !plan.badly_answered && dice.chance(60);
  plan.agrees_to_deflate = dice.chance(70);
  plan.deflate_offer = dice.between(0, kDeflateOffers.size() - 1);
  return plan;
}

}  // namespace simulation
