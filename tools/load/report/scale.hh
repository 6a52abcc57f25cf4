// An axis: where on it a value lies, and where it has a mark with a round number.
#pragma once

#include <string>
#include <vector>

namespace load::report {

class Scale {
 public:
  // From zero to a round number that `most` does not exceed.
  static Scale linear(double most);
  // Between round numbers around the two, which are above zero; at least a factor of five.
  static Scale logarithmic(double least, double most);

  // 0 at its lower end, 1 at its upper end; what is beyond them lies at them.
  double position(double value) const;
  const std::vector<double>& ticks() const { return ticks_; }

 private:
  Scale(bool logarithmic, double least, double most)
      : logarithmic_(logarithmic), least_(least), most_(most) {}

  bool logarithmic_;
  double least_;
  double most_;
  std::vector<double> ticks_;
};

// For marks, without digits that say nothing: "200 us", "1 ms", "2.5 s"; "400", "1.5 k", "20 M".
std::string tick_of_duration(double nanoseconds);
std::string tick_of_count(double count);

}  // namespace load::report
