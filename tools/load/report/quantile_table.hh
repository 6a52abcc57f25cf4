// Lines of quantiles, in columns that line up:
//
//                        count      p50      p90      p99    p99.9      max
//     RTT            1,234,567   1.2 ms   2.4 ms   8.1 ms  14.2 ms  20.1 ms
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tools/load/histogram.hh"

namespace load::report {

struct NamedShare {
  std::string_view key;
  double share;
};
inline constexpr std::array<NamedShare, 4> kShares = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};

class QuantileTable {
 public:
  // Empty histograms are left out.
  void add(std::string_view name, const Histogram& histogram);

  bool empty() const { return rows_.empty(); }
  std::string text(std::string_view indent = "") const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace load::report
