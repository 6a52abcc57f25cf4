// The rules of WebSockets that a simulated end may break, each by frames of its own, and what is to
// become of it by RFC 6455 and by what the route says: it ends there, with a code and a word, or
// passes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/policy_plan.hh"
#include "tests/simulation/transcript.hh"

namespace simulation {

enum class Breach : std::uint8_t {
  kNone,
  kReservedBit,
  kReservedOpcode,
  kFragmentedControl,
  kUnexpectedContinuation,
  kMissingContinuation,
  kMask,  // there, or missing
  kLongControl,
  kLengthNotMinimal,
  kLengthTooLarge,
  kCloseOneByte,
  kCloseCode,
  kCloseReason,
  kBadText,  // in the middle of a frame
  kCutText,  // it ends inside a character
  kLargeFrame,
  kLargeMessage,  // in frames that are none
  // Of compressed messages, where the gateway inflates them.
  kDeflateData,
  kInflatedText,
  kInflatedLarge,
  kBomb,
};
constexpr std::size_t kBreaches = 21;
constexpr std::size_t kCompressedBreaches = 4;  // the last ones

struct BreachOutcome {
  unsigned close_code = 0;  // of who has done it; 0: it passes
  std::string_view text;

  bool passes() const { return close_code == 0; }
};
// `deflating`: how the ends have agreed on compression.
BreachOutcome outcome_of(Breach breach, const PolicyPlan& policy, bool by_client,
                         Deflating deflating);

// A close frame, whatever it says.
constexpr bool is_close(Breach breach) {
  return breach == Breach::kCloseOneByte || breach == Breach::kCloseCode ||
         breach == Breach::kCloseReason;
}

struct BreachPlan {
  Breach breach = Breach::kNone;
  std::size_t variant = 0;  // of how it can be done
};

struct BrokenFrame {
  std::string bytes;
  std::size_t passes = Transcript::kAll;
  std::string inflated =
      {};  // of a compressed message: what it stands for, as far as that is valid
};
std::vector<BrokenFrame> break_rule(const BreachPlan& plan, const PolicyPlan& policy,
                                    bool is_client, Deflating deflating);

// Whether RSV1 has its place in what this end says.
constexpr bool says_deflate(Deflating deflating, bool is_client) {
  return deflating == Deflating::kEndToEnd || (deflating == Deflating::kAtGateway && is_client);
}

}  // namespace simulation
