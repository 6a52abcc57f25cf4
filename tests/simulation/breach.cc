#include "tests/simulation/breach.hh"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "tests/simulation/frames.hh"
#include "tests/simulation/peer_deflate.hh"

namespace simulation {
namespace {

// Who looks for it: every validation, all but "off", "full" alone; or a limit, of which the one
// that a message grows by comes last.
enum class Found : std::uint8_t { kAlways, kInHeaders, kInText, kByLimit, kByRatio };

struct Row {
  Found found;
  unsigned close_code;
  std::string_view text;
};

// By Breach.
constexpr std::array<Row, kBreaches> kRows = {{
    {Found::kAlways, 0, ""},
    {Found::kInHeaders, 1002, "reserved bit set"},
    {Found::kInHeaders, 1002, "reserved opcode"},
    {Found::kInHeaders, 1002, "fragmented control frame"},
    {Found::kInHeaders, 1002, "continuation without a message"},
    {Found::kInHeaders, 1002, "new message inside a fragmented one"},
    {Found::kInHeaders, 1002, ""},  // see outcome_of()
    {Found::kInHeaders, 1002, "control frame longer than 125 bytes"},
    {Found::kInHeaders, 1002, "length not in its shortest form"},
    {Found::kAlways, 1002, "length above 63 bits"},
    {Found::kInHeaders, 1002, "close payload of one byte"},
    {Found::kInHeaders, 1002, "invalid close code"},
    {Found::kInHeaders, 1007, "close reason is not UTF-8"},
    {Found::kInText, 1007, "text is not UTF-8"},
    {Found::kInText, 1007, "text is not UTF-8"},
    {Found::kByLimit, 1009, "frame too large"},
    {Found::kByLimit, 1009, "message too large"},
    {Found::kAlways, 1007, "compressed data is not DEFLATE"},
    {Found::kInText, 1007, "text is not UTF-8"},
    {Found::kByLimit, 1009, "message too large"},
    {Found::kByRatio, 1008, "message compressed too far"},
}};

constexpr std::size_t kLargeFrameBytes = 70'000;     // above all limits
constexpr std::size_t kLargeFragmentBytes = 20'000;  // four of them are, together
constexpr std::size_t kBombBytes = 4'500'000;        // beyond what may grow as it likes

// Of it nobody knows but who inflates it.
constexpr bool is_compressed(Breach breach) {
  return breach >= Breach::kDeflateData;
}

// Frames of one end; the last one of a breach is the one that breaks the rule.
class Maker {
 public:
  Maker(bool is_client, std::size_t variant) : is_client_(is_client), variant_(variant) {}

  // Which one of so many ways.
  std::size_t way(std::size_t count) const { return variant_ % count; }
  void add(FrameForm form, std::string_view payload, bool other_mask = false) {
    if (is_client_ != other_mask) form.key = 0x9d3c5a71u * static_cast<unsigned>(variant_ + 1);
    frames_.push_back({make_frame(form, payload)});
  }
  void add(unsigned first_byte, std::string_view payload) {
    add(FrameForm{.first_byte = first_byte}, payload);
  }
  void add_deflated(unsigned opcode, std::string_view payload, std::string inflated) {
    add(kFin | kRsv1 | opcode, payload);
    frames_.back().inflated = std::move(inflated);
  }
  // `passes`: of its payload; nothing: not even its header.
  std::vector<BrokenFrame> take(bool passes_whole, std::optional<std::size_t> passes) {
    if (passes_whole) return std::move(frames_);
    BrokenFrame& last = frames_.back();
    const std::size_t header_bytes = is_client_ ? 6 : 2;
    last.passes = passes ? header_bytes + *passes : 0;
    return std::move(frames_);
  }

 private:
  bool is_client_;
  std::size_t variant_;
  std::vector<BrokenFrame> frames_;
};

void set_reserved_bit(Maker& to, bool deflate) {
  const std::array<unsigned, 4> first_bytes = {kFin | kRsv2 | kBinary, kFin | kRsv3 | kText,
                                               kFin | kRsv1 | kPing,
                                               kFin | (deflate ? kRsv2 : kRsv1) | kBinary};
  to.add(first_bytes[to.way(first_bytes.size())], "bits");
}

void lengthen(Maker& to) {
  constexpr std::array<LengthForm, 3> kForms = {LengthForm::k16Bits, LengthForm::k64Bits,
                                                LengthForm::k64Bits};
  constexpr std::array<std::size_t, 3> kSizes = {125, 125, 65'535};
  const std::size_t way = to.way(kForms.size());
  // What passes here is measured in whole frames.
  to.add({.form = kForms[way]}, std::string(kSizes[way] > 125 ? 300 : kSizes[way], 'l'));
}

void close_badly(Maker& to) {
  constexpr std::array<unsigned, 10> kCodes = {0,    999,  1004, 1005, 1006,
                                               1015, 1016, 2999, 5000, 65'535};
  to.add(kFin | kClose, close_payload(kCodes[to.way(kCodes.size())], "no code"));
}

// What of the last frame's payload is valid.
std::size_t say_bad_text(Maker& to) {
  // A character that is cut by another one, an overlong one, a surrogate, one above all.
  constexpr std::array<std::string_view, 4> kBad = {"\xe2\x82more", "\xe0\x9fmore", "\xed\xa0more",
                                                    "\xf4\x90more"};
  constexpr std::array<std::size_t, 4> kValid = {2, 1, 1, 1};
  const std::size_t way = to.way(kBad.size());
  std::string text;
  for (std::size_t characters = to.way(31); characters > 0; --characters) text += "\xc3\xa9";
  const std::size_t valid = text.size() + kValid[way];
  text += kBad[way];
  const bool in_a_later_frame = to.way(2) == 1;
  if (in_a_later_frame) to.add(kText, "\xe2\x82\xac so far");
  to.add(kFin | (in_a_later_frame ? kContinuation : kText), text);
  return valid;
}

std::optional<std::size_t> cut_text(Maker& to) {
  if (to.way(2) == 0) {
    to.add(kText, "\xe2\x82");
    to.add(kFin | kContinuation, "");
    return std::nullopt;
  }
  constexpr std::string_view kCut = "euro \xe2\x82";
  to.add(kFin | kText, kCut);
  return kCut.size() - 1;
}

// Lines that are much alike.
std::string prose(std::size_t bytes) {
  std::string text;
  for (std::size_t line = 0; text.size() < bytes; ++line) {
    text += fmt::format("{{\"line\": {}, \"of\": \"a broken rule\"}}\n", line * 7919 % 10'007);
  }
  return text;
}

std::string deflated(std::string_view text) {
  constexpr int kLeastBits = 9;  // so that it is in everybody's window
  return PeerDeflater(kLeastBits, false)(text);
}

void say_no_deflate(Maker& to) {
  switch (to.way(3)) {
    case 0:  // a block of a kind that there is not
      return to.add_deflated(kBinary, "\x07 and more", "");
    case 1:  // a stored one, whose length is not its length
      return to.add_deflated(kBinary, std::string_view("\0\5\0\0\0hello", 10), "");
    default: {  // one that has no end
      const std::string payload = deflated(prose(5000));
      const std::string cut = payload.substr(0, payload.size() / 2);
      PeerInflater inflate(15, false);
      return to.add_deflated(kText, cut, inflate(cut, false).value_or(""));
    }
  }
}

void say_bad_inflated_text(Maker& to) {
  const std::string text = prose(100 * to.way(31)) + "\xe2\x82more";
  to.add_deflated(kText, deflated(text), text);
}

void say_inflated(Maker& to, const std::string& text) {
  to.add_deflated(kBinary, deflated(text), text);
}

BreachOutcome outcome_of_compressed(const Row& row, const PolicyPlan& policy, bool by_client,
                                    Deflating deflating) {
  const auto& reserved_bit = kRows[static_cast<std::size_t>(Breach::kReservedBit)];
  const auto& large_message = kRows[static_cast<std::size_t>(Breach::kLargeMessage)];
  const BreachOutcome outcome{row.close_code, row.text};
  // Whom it is not meant for does not look into it.
  if (deflating == Deflating::kEndToEnd) return {};
  if (!says_deflate(deflating, by_client)) {
    if (policy.validation == Validation::kOff) return {};
    return {reserved_bit.close_code, reserved_bit.text};
  }
  switch (row.found) {
    case Found::kInText:
      return policy.validation == Validation::kFull ? outcome : BreachOutcome{};
    case Found::kByRatio:
      if (policy.message_max == 0) return policy.ratio_max > 0 ? outcome : BreachOutcome{};
      return {large_message.close_code, large_message.text};
    case Found::kByLimit:
      return policy.message_max > 0 ? outcome : BreachOutcome{};
    default:
      return outcome;
  }
}

}  // namespace

BreachOutcome outcome_of(Breach breach, const PolicyPlan& policy, bool by_client,
                         Deflating deflating) {
  const Row& row = kRows[static_cast<std::size_t>(breach)];
  const auto& large_message = kRows[static_cast<std::size_t>(Breach::kLargeMessage)];
  if (is_compressed(breach)) return outcome_of_compressed(row, policy, by_client, deflating);
  BreachOutcome outcome{row.close_code, row.text};
  if (breach == Breach::kMask) {
    outcome.text = by_client ? "unmasked frame from a client" : "masked frame from a server";
  }
  switch (row.found) {
    case Found::kAlways:
      return outcome;
    case Found::kInHeaders:
      return policy.validation == Validation::kOff ? BreachOutcome{} : outcome;
    case Found::kInText:
      return policy.validation == Validation::kFull ? outcome : BreachOutcome{};
    case Found::kByLimit:
    case Found::kByRatio:
      break;
  }
  if (breach == Breach::kLargeFrame && policy.frame_max > 0) return outcome;
  if (policy.message_max == 0) return {};
  return {large_message.close_code, large_message.text};
}

std::vector<BrokenFrame> break_rule(const BreachPlan& plan, const PolicyPlan& policy,
                                    bool is_client, Deflating deflating) {
  Maker to(is_client, plan.variant);
  std::optional<std::size_t> passes;
  switch (plan.breach) {
    case Breach::kNone:
      return {};
    case Breach::kReservedBit:
      set_reserved_bit(to, says_deflate(deflating, is_client));
      break;
    case Breach::kReservedOpcode:
      to.add(static_cast<unsigned>(kFin | (to.way(2) * 8 + 3 + to.way(5))), "opcode");
      break;
    case Breach::kFragmentedControl:
      to.add(to.way(2) == 0 ? kPing : kPong, "half");
      break;
    case Breach::kUnexpectedContinuation:
      to.add((to.way(2) == 0 ? kFin : 0u) | kContinuation, "of what?");
      break;
    case Breach::kMissingContinuation:
      to.add(kBinary, "begun");
      if (to.way(2) == 0) to.add(kFin | kPing, "in between");
      to.add(kFin | kText, "another one");
      break;
    case Breach::kMask:
      to.add(FrameForm{}, "masked or not", true);
      break;
    case Breach::kLongControl:
      to.add(kFin | (to.way(2) == 0 ? kPing : kPong), std::string(126 + to.way(3), 'l'));
      break;
    case Breach::kLengthNotMinimal:
      lengthen(to);
      break;
    case Breach::kLengthTooLarge:
      to.add({.declares = std::uint64_t{1} << 63 | to.way(2)}, "much");
      break;
    case Breach::kCloseOneByte:
      to.add(kFin | kClose, "\x03");
      break;
    case Breach::kCloseCode:
      close_badly(to);
      break;
    case Breach::kCloseReason:
      to.add(kFin | kClose, close_payload(1000, to.way(2) == 0 ? "\xe2\x82" : "\xed\xa0\x80"));
      break;
    case Breach::kBadText:
      passes = say_bad_text(to);
      break;
    case Breach::kCutText:
      passes = cut_text(to);
      break;
    case Breach::kLargeFrame:
      to.add(kFin | kBinary, std::string(kLargeFrameBytes, 'f'));
      break;
    case Breach::kLargeMessage:
      for (unsigned frame = 0; frame < 4; ++frame) {
        const unsigned fin = frame == 3 ? kFin : 0;
        to.add(fin | (frame == 0 ? kBinary : kContinuation), std::string(kLargeFragmentBytes, 'm'));
      }
      break;
    case Breach::kDeflateData:
      say_no_deflate(to);
      break;
    case Breach::kInflatedText:
      say_bad_inflated_text(to);
      break;
    case Breach::kInflatedLarge:
      say_inflated(to, prose(kLargeFrameBytes));
      break;
    case Breach::kBomb:
      say_inflated(to, std::string(kBombBytes, 'b'));
      break;
  }
  return to.take(outcome_of(plan.breach, policy, is_client, deflating).passes(), passes);
}

}  // namespace simulation
