#include "tools/load/bad_share.hh"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tools/load/suggest.hh"
#include "tools/load/units.hh"

namespace load {
namespace {

using Verdict = std::expected<void, std::string>;

// What rounding makes of ten times 10%.
constexpr double kAll = 1 + 1e-9;

Verdict add_one(std::string_view text, BadShares& shares) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return std::unexpected("not KIND=SHARE, such as slow-reader=5%: " + std::string(text));
  }
  const std::string_view name = text.substr(0, equals);
  const auto kind = std::ranges::find(kBadKindNames, name);
  if (kind == kBadKindNames.end()) {
    return std::unexpected(unknown_word("kind", name, kBadKindNames));
  }
  const auto share = parse_share(text.substr(equals + 1));
  if (!share) return std::unexpected(std::string(name) + ": " + share.error());
  shares[static_cast<std::size_t>(kind - kBadKindNames.begin())] += *share;
  return {};
}

BadNumbers numbers_of(const BadShares& shares, std::size_t connections) {
  BadNumbers numbers{};
  if (connections == 0) return numbers;
  for (std::size_t i = 0; i < kBadKinds; ++i) {
    if (shares[i] <= 0) continue;
    const double part = std::round(shares[i] * static_cast<double>(connections));
    numbers[i] = std::max<std::size_t>(static_cast<std::size_t>(part), 1);
  }
  return numbers;
}

}  // namespace

Verdict add_bad(std::string_view text, BadShares& shares) {
  for (;;) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const Verdict added = add_one(text.substr(0, comma), shares);
    if (!added) return added;
    if (comma == text.size()) break;
    text.remove_prefix(comma + 1);
  }
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (sum <= kAll) return {};
  return std::unexpected("the shares come to " + std::to_string(std::lround(100 * sum)) +
                         " % together: at most 100 %, and the rest carries the load");
}

Verdict set_bad_apart(Plan& plan) {
  for (PhasePlan& phase : plan.phases) {
    phase.bad = numbers_of(plan.bad_shares, phase.connections);
    const std::size_t bad = std::accumulate(phase.bad.begin(), phase.bad.end(), std::size_t{0});
    if (bad > 0 && bad >= phase.connections) {
      return std::unexpected("--bad: of " + std::to_string(phase.connections) +
                             " connections none is left to carry the load: lower shares, or more "
                             "--connections");
    }
    phase.connections -= bad;
  }
  if (plan.phases.empty()) return {};
  plan.connections = std::max<std::size_t>(plan.phases.front().connections, 1);
  return {};
}

}  // namespace load
