// A chart as HTML: lines in an SVG that stretches with the page, labels as text around it that does
// not, so that it reads the same on a phone and on a wide screen. No script: what the pointer is on
// tells its figures by <title>.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/load/report/scale.hh"

namespace load::report {

// All positions are shares of the width: 0 left, 1 right.
struct ChartPoint {
  double x = 0;
  double value = 0;
};

struct ChartLine {
  std::string style;  // a class of the style sheet: "first", "second", "third", "wanted"
  std::string words;  // in the legend
  std::vector<ChartPoint> points;
  bool filled = false;  // down to the axis
};

struct ChartMark {
  double x = 0;
  std::string text;
};

struct ChartSpan {
  double begin = 0;
  double end = 0;
  std::string text;
  std::string style;  // "ramp", "storm", or "" for one that is not shaded
};

struct Chart {
  std::string id;
  std::string title;
  std::string unit;  // behind the title
  Scale y = Scale::linear(1);
  std::string (*tick_text)(double) = tick_of_count;
  std::vector<ChartMark> x_marks;
  std::vector<ChartLine> lines;
  std::vector<ChartSpan> spans;   // behind the lines, each with its name above
  std::vector<ChartMark> storms;  // a dashed line from top to bottom
  std::vector<ChartSpan> hints;   // what the pointer finds
  bool bars = false;              // the lines are bars, each as wide as its hint
};

std::string html_of(const Chart& chart);

// "us" as a page has it.
std::string with_micro_sign(std::string text);

}  // namespace load::report
