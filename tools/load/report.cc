#include "tools/load/report.hh"

#include <cstdio>

namespace load {
namespace {

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

double microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

std::string number(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string json_string(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text.append("\\").append(1, c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      text += escaped;
    } else {
      text += c;
    }
  }
  return text + "\"";
}

double rate(const Tally& tally) {
  return tally.window.count() > 0 ? static_cast<double>(tally.messages) / seconds(tally.window) : 0;
}

std::string cpu_per_message(const Tally& tally) {
  if (!tally.cpu || tally.messages == 0) return "null";
  return number(static_cast<double>(tally.cpu->count()) / static_cast<double>(tally.messages), 1);
}

}  // namespace

std::string json_of(const Options& options, const Tally& tally) {
  std::string errors;
  for (const auto& [kind, count] : tally.errors) {
    if (!errors.empty()) errors += ",";
    errors += json_string(kind) + ":" + std::to_string(count);
  }
  const Histogram& latency = tally.latency;
  return "{\"url\":" + json_string(options.url) +
         ",\"connections\":" + std::to_string(options.connections) +
         ",\"opened\":" + std::to_string(tally.opened) +
         ",\"failed\":" + std::to_string(tally.failed) +
         ",\"in_flight\":" + std::to_string(options.in_flight) +
         ",\"size\":" + std::to_string(options.size_bytes) +
         ",\"seconds\":" + number(seconds(tally.window), 3) +
         ",\"messages\":" + std::to_string(tally.messages) +
         ",\"messages_per_second\":" + number(rate(tally), 1) +
         ",\"latency_us\":{\"p50\":" + number(microseconds(latency.quantile(0.5)), 1) +
         ",\"p99\":" + number(microseconds(latency.quantile(0.99)), 1) +
         ",\"max\":" + number(microseconds(latency.max()), 1) + "}" +
         ",\"cpu_ns_per_message\":" + cpu_per_message(tally) +
         ",\"cpu_seconds\":" + (tally.cpu ? number(seconds(*tally.cpu), 6) : "null") +
         ",\"errors\":{" + errors + "}}";
}

std::string text_of(const Options& options, const Tally& tally) {
  const Histogram& latency = tally.latency;
  std::string text = std::to_string(tally.opened) + " of " + std::to_string(options.connections) +
                     " connections opened\n" + std::to_string(tally.messages) + " messages in " +
                     number(seconds(tally.window), 2) + " s: " + number(rate(tally), 0) +
                     " a second\nlatency: p50 " + number(microseconds(latency.quantile(0.5)), 0) +
                     " us, p99 " + number(microseconds(latency.quantile(0.99)), 0) + " us, max " +
                     number(microseconds(latency.max()), 0) + " us\n";
  if (tally.cpu) {
    text += "processor: " + number(seconds(*tally.cpu), 3) + " s, " + cpu_per_message(tally) +
            " ns a message\n";
  }
  for (const auto& [kind, count] : tally.errors) {
    text += "error: " + kind + ": " + std::to_string(count) + "\n";
  }
  return text;
}

}  // namespace load
