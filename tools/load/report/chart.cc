#include "tools/load/report/chart.hh"

#include <fmt/format.h>

#include <algorithm>

#include "tools/load/report/figures.hh"

namespace load::report {
namespace {

// The SVG's own units; it is stretched to whatever size its box has.
constexpr double kWidth = 1000;
constexpr double kHeight = 100;
// The share of a phone's width that a phase's name needs.
constexpr double kWidthForText = 0.15;

std::string legend_of(const Chart& chart) {
  if (chart.lines.size() < 2) return "";
  std::string text = "<span class=\"legend\">";
  for (const ChartLine& line : chart.lines) {
    text += fmt::format("<span><i class=\"{}\"></i>{}</span>", line.style, escaped(line.words));
  }
  return text + "</span>";
}

std::string y_labels_of(const Chart& chart) {
  std::string text;
  for (const double tick : chart.y.ticks()) {
    text += fmt::format("<span style=\"bottom:{:.2f}%\">{}</span>", chart.y.position(tick) * 100,
                        with_micro_sign(chart.tick_text(tick)));
  }
  return "<div class=\"y\">" + text + "</div>";
}

// Every second one gives way where the page is narrow.
std::string x_labels_of(const Chart& chart) {
  std::string text;
  for (std::size_t i = 0; i < chart.x_marks.size(); ++i) {
    text += fmt::format("<span{} style=\"left:{:.2f}%\">{}</span>", i % 2 ? " class=\"odd\"" : "",
                        chart.x_marks[i].x * 100, escaped(chart.x_marks[i].text));
  }
  return "<div class=\"x\">" + text + "</div>";
}

std::string rectangle(const ChartSpan& span, std::string_view style, std::string_view inside) {
  return fmt::format("<rect class=\"{}\" x=\"{:.2f}\" y=\"0\" width=\"{:.2f}\" height=\"{}\">{}"
                     "</rect>",
                     style, span.begin * kWidth, std::max(0.0, span.end - span.begin) * kWidth,
                     kHeight, inside);
}

std::string grid_of(const Chart& chart) {
  std::string path;
  for (const double tick : chart.y.ticks()) {
    path += fmt::format("M0 {:.2f}H{}", (1 - chart.y.position(tick)) * kHeight, kWidth);
  }
  return "<path class=\"grid\" d=\"" + path + "\"/>";
}

std::string line_of(const Chart& chart, const ChartLine& line) {
  if (line.points.empty()) return "";
  std::string path;
  for (const ChartPoint& point : line.points) {
    path += fmt::format("{}{:.2f} {:.2f}", path.empty() ? 'M' : 'L', point.x * kWidth,
                        (1 - chart.y.position(point.value)) * kHeight);
  }
  std::string text;
  if (line.filled) {
    text = fmt::format("<path class=\"fill {}\" d=\"{}L{:.2f} {}L{:.2f} {}Z\"/>", line.style, path,
                       line.points.back().x * kWidth, kHeight, line.points.front().x * kWidth,
                       kHeight);
  }
  return text + fmt::format("<path class=\"line {}\" d=\"{}\"/>", line.style, path);
}

std::string bars_of(const Chart& chart, const ChartLine& line) {
  std::string path;
  for (std::size_t i = 0; i < line.points.size() && i < chart.hints.size(); ++i) {
    if (line.points[i].value <= 0) continue;
    const ChartSpan& span = chart.hints[i];
    const double gap = (span.end - span.begin) * 0.1;
    path += fmt::format("M{:.2f} {}V{:.2f}H{:.2f}V{}Z", (span.begin + gap) * kWidth, kHeight,
                        (1 - chart.y.position(line.points[i].value)) * kHeight,
                        (span.end - gap) * kWidth, kHeight);
  }
  return fmt::format("<path class=\"bars {}\" d=\"{}\"/>", line.style, path);
}

std::string drawing_of(const Chart& chart) {
  std::string text = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">",
      kWidth, kHeight, escaped(chart.title));
  for (const ChartSpan& span : chart.spans) {
    if (!span.style.empty()) text += rectangle(span, span.style, "");
  }
  text += grid_of(chart);
  for (const ChartLine& line : chart.lines) {
    text += chart.bars ? bars_of(chart, line) : line_of(chart, line);
  }
  for (const ChartMark& storm : chart.storms) {
    text += fmt::format("<path class=\"mark\" d=\"M{:.2f} 0V{}\"/>", storm.x * kWidth, kHeight);
  }
  for (const ChartSpan& hint : chart.hints) {
    const std::string title = with_micro_sign(escaped(hint.text));
    text += rectangle(hint, "hint", "<title>" + title + "</title>");
  }
  return text + "</svg>";
}

std::string names_of(const Chart& chart) {
  std::string text;
  for (const ChartSpan& span : chart.spans) {
    if (span.text.empty()) continue;
    const double width = span.end - span.begin;
    text += fmt::format("<span class=\"phase{}\" style=\"left:{:.2f}%;width:{:.2f}%\">{}</span>",
                        width < kWidthForText ? " brief" : "", span.begin * 100, width * 100,
                        escaped(span.text));
  }
  for (const ChartMark& storm : chart.storms) {
    if (storm.text.empty()) continue;
    const bool left = storm.x > 0.75;  // else the text would leave the chart
    text += fmt::format("<span class=\"storm{}\" style=\"{}:{:.2f}%\">{}</span>",
                        left ? " left" : "", left ? "right" : "left",
                        (left ? 1 - storm.x : storm.x) * 100, escaped(storm.text));
  }
  return text;
}

}  // namespace

std::string with_micro_sign(std::string text) {
  for (std::size_t at = 0; (at = text.find(" us", at)) != std::string::npos; ++at) {
    const char next = at + 3 < text.size() ? text[at + 3] : ' ';
    if (next < 'a' || next > 'z') text.replace(at, 3, " \u00b5s");
  }
  return text;
}

std::string html_of(const Chart& chart) {
  return fmt::format(
      "<figure class=\"chart\" id=\"{}\"><figcaption><strong>{}</strong><small>{}</small>{}"
      "</figcaption><div class=\"plot\">{}<div class=\"area\">{}{}</div>{}</div></figure>\n",
      chart.id, escaped(chart.title), escaped(chart.unit), legend_of(chart), y_labels_of(chart),
      drawing_of(chart), names_of(chart), x_labels_of(chart));
}

}  // namespace load::report
