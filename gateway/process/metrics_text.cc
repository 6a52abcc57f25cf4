#include "gateway/process/metrics_text.hh"

#include <array>
#include <charconv>
#include <utility>

namespace gateway {
namespace {

template <class Number>
void append(std::string& to, Number number) {
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  to.append(digits.data(), end);
}

// As OpenMetrics has them: "1.0", so that a bound is the same text in either format.
std::string text_of_bound(double bound) {
  std::string text;
  append(text, bound);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

std::string_view name_of(MetricsText::Type type, MetricsFormat format) {
  constexpr std::array<std::string_view, 4> kNames = {"counter", "gauge", "histogram", "info"};
  const bool is_info = type == MetricsText::Type::kInfo;
  if (is_info && format == MetricsFormat::kPrometheus) return "gauge";  // it knows no info
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view suffix_of(MetricsText::Type type) {
  if (type == MetricsText::Type::kCounter) return "_total";
  return type == MetricsText::Type::kInfo ? "_info" : "";
}

std::string_view unit_of(std::string_view family) {
  for (const std::string_view unit : {"seconds", "bytes", "ratio"}) {
    if (family.ends_with(unit)) return unit;
  }
  return {};
}

}  // namespace

MetricLabels& MetricLabels::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += ',';
  text_.append(name).append("=\"");
  for (const char c : value) {
    if (c == '\n') {
      text_ += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
  return *this;
}

void MetricsText::begin(Type type, std::string_view name, std::string_view help) {
  type_ = type;
  family_ = name;
  std::string told(name);
  if (format_ == MetricsFormat::kPrometheus) told += suffix_of(type);
  text_.append("# HELP ").append(told).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(told).append(" ").append(name_of(type, format_)).append("\n");
  const std::string_view unit = unit_of(name);
  if (format_ == MetricsFormat::kOpenMetrics && !unit.empty())
    text_.append("# UNIT ").append(told).append(" ").append(unit).append("\n");
}

void MetricsText::begin_sample(std::string_view suffix, const MetricLabels& labels) {
  text_.append(family_).append(suffix);
  if (!labels.text().empty()) text_.append("{").append(labels.text()).append("}");
  text_ += ' ';
}

void MetricsText::add(const MetricLabels& labels, std::uint64_t value) {
  begin_sample(suffix_of(type_), labels);
  append(text_, value);
  text_ += '\n';
}

void MetricsText::add(const MetricLabels& labels, double value) {
  begin_sample(suffix_of(type_), labels);
  append(text_, value);
  text_ += '\n';
}

void MetricsText::add(const MetricLabels& labels, std::span<const double> bounds,
                      std::span<const std::uint64_t> below, double sum) {
  std::uint64_t count = 0;
  for (std::size_t index = 0; index < below.size(); ++index) {
    count += below[index];
    text_.append(family_).append("_bucket{").append(labels.text());
    text_.append(labels.text().empty() ? "le=\"" : ",le=\"");
    text_.append(index < bounds.size() ? text_of_bound(bounds[index]) : "+Inf").append("\"} ");
    append(text_, count);
    text_ += '\n';
  }
  begin_sample("_sum", labels);
  append(text_, sum);
  text_ += '\n';
  begin_sample("_count", labels);
  append(text_, count);
  text_ += '\n';
}

std::string MetricsText::finish() && {
  if (format_ == MetricsFormat::kOpenMetrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace gateway
