// Both formats, to the letter, and labels that would break them.
#include "gateway/process/metrics_text.hh"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace {

using gateway::MetricLabels;
using gateway::MetricsFormat;
using gateway::MetricsText;
using Type = MetricsText::Type;

std::string sample_text(MetricsFormat format) {
  MetricsText text(format);
  text.begin(Type::kCounter, "x_requests", "Requests.");
  text.add(MetricLabels().add("route", "chat"), std::uint64_t{3});
  text.begin(Type::kCounter, "x_busy_seconds", "Time.");
  text.add({}, 0.25);
  text.begin(Type::kGauge, "x_memory_bytes", "Memory.");
  text.add({}, std::numeric_limits<std::uint64_t>::max());
  text.begin(Type::kInfo, "x_build", "Build.");
  text.add(MetricLabels().add("version", "1"), std::uint64_t{1});
  constexpr std::array kBounds = {0.5, 1.0, 65536.0};
  constexpr std::array<std::uint64_t, 4> kBelow = {1, 0, 2, 4};
  text.begin(Type::kHistogram, "x_size_bytes", "Sizes.");
  text.add(MetricLabels().add("route", "chat"), kBounds, kBelow, 1e6);
  return std::move(text).finish();
}

constexpr std::string_view kHistogram = R"(x_size_bytes_bucket{route="chat",le="0.5"} 1
x_size_bytes_bucket{route="chat",le="1.0"} 1
x_size_bytes_bucket{route="chat",le="65536.0"} 3
x_size_bytes_bucket{route="chat",le="+Inf"} 7
x_size_bytes_sum{route="chat"} 1e+06
x_size_bytes_count{route="chat"} 7
)";

TEST(MetricsText, IsWhatPrometheusReads) {
  EXPECT_EQ(sample_text(MetricsFormat::kPrometheus),
            std::string(R"(# HELP x_requests_total Requests.
# TYPE x_requests_total counter
x_requests_total{route="chat"} 3
# HELP x_busy_seconds_total Time.
# TYPE x_busy_seconds_total counter
x_busy_seconds_total 0.25
# HELP x_memory_bytes Memory.
# TYPE x_memory_bytes gauge
x_memory_bytes 18446744073709551615
# HELP x_build_info Build.
# TYPE x_build_info gauge
x_build_info{version="1"} 1
# HELP x_size_bytes Sizes.
# TYPE x_size_bytes histogram
)")
                .append(kHistogram));
}

TEST(MetricsText, IsOpenMetrics) {
  EXPECT_EQ(sample_text(MetricsFormat::kOpenMetrics), std::string(R"(# HELP x_requests Requests.
# TYPE x_requests counter
x_requests_total{route="chat"} 3
# HELP x_busy_seconds Time.
# TYPE x_busy_seconds counter
# UNIT x_busy_seconds seconds
x_busy_seconds_total 0.25
# HELP x_memory_bytes Memory.
# TYPE x_memory_bytes gauge
# UNIT x_memory_bytes bytes
x_memory_bytes 18446744073709551615
# HELP x_build Build.
# TYPE x_build info
x_build_info{version="1"} 1
# HELP x_size_bytes Sizes.
# TYPE x_size_bytes histogram
# UNIT x_size_bytes bytes
)")
                                                          .append(kHistogram)
                                                          .append("# EOF\n"));
}

TEST(MetricLabels, EscapesWhatWouldEndAValueOrALine) {
  const auto text = [](std::string_view value) { return MetricLabels().add("l", value).text(); };
  EXPECT_EQ(text(R"(a"b)"), R"(l="a\"b")");
  EXPECT_EQ(text(R"(a\b)"), R"(l="a\\b")");
  EXPECT_EQ(text("a\nb"), R"(l="a\nb")");
  EXPECT_EQ(text(R"("} 1)"), R"(l="\"} 1")");
  EXPECT_EQ(text("\xc3\xa4{},= "), "l=\"\xc3\xa4{},= \"");
  EXPECT_EQ(MetricLabels().add("a", "1").with("b", "2").text(), R"(a="1",b="2")");
}

}  // namespace
