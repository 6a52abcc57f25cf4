// Metrics as text, in either format that Prometheus reads: its own (0.0.4), or OpenMetrics 1.0, in
// which a counter's family is named without _total, a unit has a line of its own, and the text has
// an end. A family is begun, and then gets its samples; what labels say is escaped here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gateway {

enum class MetricsFormat : std::uint8_t { kPrometheus, kOpenMetrics };

inline constexpr std::string_view kMetricsContentTypePrometheus =
    "text/plain; version=0.0.4; charset=utf-8";
inline constexpr std::string_view kMetricsContentTypeOpenMetrics =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view content_type_of(MetricsFormat format) {
  return format == MetricsFormat::kOpenMetrics ? kMetricsContentTypeOpenMetrics
                                               : kMetricsContentTypePrometheus;
}

// name="value" pairs, escaped.
class MetricLabels {
 public:
  MetricLabels() = default;
  MetricLabels& add(std::string_view name, std::string_view value);
  // These, and one more.
  MetricLabels with(std::string_view name, std::string_view value) const {
    return MetricLabels(*this).add(name, value);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class MetricsText {
 public:
  enum class Type : std::uint8_t { kCounter, kGauge, kHistogram, kInfo };

  explicit MetricsText(MetricsFormat format) : format_(format) { text_.reserve(64 * 1024); }

  // The samples that follow are of this one. `name`: of a counter without its _total, of an info
  // without its _info; one that ends in _seconds, _bytes or _ratio has that unit. `help`: a
  // sentence, which needs no escaping.
  void begin(Type type, std::string_view name, std::string_view help);
  void add(const MetricLabels& labels, std::uint64_t value);
  void add(const MetricLabels& labels, double value);
  // `below`: how many are at most the bound of their place, and more than the one before; the last
  // place has no bound.
  void add(const MetricLabels& labels, std::span<const double> bounds,
           std::span<const std::uint64_t> below, double sum);

  // All of it; nothing is to follow.
  std::string finish() &&;

 private:
  void begin_sample(std::string_view suffix, const MetricLabels& labels);

  const MetricsFormat format_;
  Type type_ = Type::kGauge;
  std::string family_;
  std::string text_;
};

}  // namespace gateway
