// [tracing]: the collector that spans are sent to, and which requests have some.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "gateway/config/sections.hh"
#include "gateway/config/toml_text.hh"
#include "gateway/config/tracing_lines.hh"
#include "gateway/config/units.hh"
#include "gateway/config/url_pool.hh"
#include "proto/http/syntax.hh"

namespace gateway::config {
namespace {

constexpr std::string_view kEndpoint = "http://127.0.0.1:4318/v1/traces";
constexpr std::string_view kHeadersForm = "a table, such as { \"X-Scope-OrgID\" = \"tenant\" }";
constexpr size_t kHeadersMax = 16;
constexpr size_t kHeaderBytesMax = 8 * 1024;  // of all
constexpr size_t kQueueMax = 65'536;
constexpr size_t kServiceBytesMax = 255;
constexpr std::chrono::milliseconds kIntervalMin{100};
constexpr std::chrono::milliseconds kIntervalMax{60'000};

// Those are the exporter's own.
constexpr std::array<std::string_view, 3> kOwnHeaders = {"Host", "Content-Type", "User-Agent"};

void read_sample(TableReader& table, TracingSettings& tracing) {
  const auto text = table.text("sample");
  if (!text) return;
  double percent = -1;
  const char* const end = text->value.data() + text->value.size();
  const auto [rest, error] =
      std::from_chars(text->value.data(), end, percent, std::chars_format::fixed);
  const bool is_percent = error == std::errc{} && rest + 1 == end && *rest == '%';
  if (!is_percent || !(percent >= 0 && percent <= 100))
    return table.report().add(
        text->place, fmt::format("'sample' must be a share in quotes, such as \"1%\" or \"0.1%\", "
                                 "from 0% to 100%, not '{}'",
                                 text->value));
  tracing.sample = text->value;
  tracing.sampled_of_all = static_cast<std::uint64_t>(std::llround(std::ldexp(percent / 100, 56)));
}

std::string fault_of(std::string_view name) {
  for (const std::string_view own : kOwnHeaders) {
    if (http::equals_ignoring_case(name, own)) return "is written by the gateway itself";
  }
  return header_fault(name);
}

void read_headers(TableReader& table, TracingSettings& tracing) {
  const toml::node* const node = table.take("headers");
  if (node == nullptr) return;
  const auto* const headers = node->as_table();
  if (headers == nullptr) return table.wrong_type(*node, "headers", kHeadersForm);
  for (const auto& [key, value] : *headers) {
    const std::string name(key.str());
    if (const std::string fault = fault_of(name); !fault.empty())
      table.report().add(place_of(key.source()), fmt::format("'{}' {}", name, fault));
    const auto text = table.text_of(value, name, "a string in quotes");
    if (!text) continue;
    // The value itself may be a secret, and is told to nobody.
    if (!http::is_text(text->value) || http::trim(text->value) != text->value)
      table.report().add(text->place,
                         fmt::format("the value of '{}' must not have control characters, nor "
                                     "begin or end with a blank",
                                     name));
    tracing.header_names.push_back(name);
    tracing.header_lines.append(name).append(": ").append(text->value).append("\r\n");
  }
  if (tracing.header_names.size() > kHeadersMax || tracing.header_lines.size() > kHeaderBytesMax)
    table.report().add(place_of(node->source()),
                       fmt::format("'headers' may have {} headers and 8KiB in all", kHeadersMax));
}

void read_service(TableReader& table, TracingSettings& tracing) {
  auto service = table.text("service");
  if (!service) return;
  if (service->value.size() > kServiceBytesMax || !http::is_text(service->value))
    table.report().add(service->place,
                       fmt::format("'service' must be a name of up to {} bytes", kServiceBytesMax));
  tracing.service = std::move(service->value);
}

bool has_traces(const Config& config) {
  return std::ranges::any_of(config.routes,
                             [](const Route& route) { return route.marking.trace != Trace::off; });
}

}  // namespace

void read_tracing(TableReader& table, const Surroundings& around, Config& config) {
  TracingSettings tracing;
  const auto endpoint = table.text("endpoint");
  read_sample(table, tracing);
  if (const auto parent = table.choice("parent", kSamplingParentNames))
    tracing.parent = static_cast<SamplingParent>(*parent);
  read_service(table, tracing);
  read_headers(table, tracing);
  table.duration("interval", kIntervalMin, kIntervalMax, tracing.interval);
  table.duration("timeout", kIntervalMin, kIntervalMax, tracing.timeout);
  table.count("queue", kQueueMax, tracing.queue);
  if (!endpoint || endpoint->value == "off") return;
  tracing.endpoint = endpoint->value;
  auto server = server_of_url(table, *endpoint, kEndpoint, around, config);
  if (!server) return;
  if (!has_traces(config))
    table.report().warn(table.place(),
                        "no route has a trace, so there will be no spans: add trace = \"create\" "
                        "to [defaults], or to a route");
  tracing.pool = server->pool;
  tracing.pool_name = config.pools[server->pool].name;
  tracing.host = std::move(server->host);
  tracing.path = std::move(server->path);
  config.tracing = std::move(tracing);
}

std::string tracing_lines(const std::optional<TracingSettings>& tracing) {
  if (!tracing) return {};
  std::string text = "\n[tracing]\n";
  const auto add = [&](std::string_view key, std::string_view value) {
    text.append(key).append(" = ").append(value).append("\n");
  };
  add("endpoint", quote(tracing->endpoint));
  add("sample", quote(tracing->sample));
  add("parent", quote(kSamplingParentNames[static_cast<size_t>(tracing->parent)]));
  add("service", quote(tracing->service));
  for (const std::string& name : tracing->header_names)
    text += fmt::format("# headers: {} = what the file says: it is not shown\n", quote(name));
  add("interval", quote(print_duration(tracing->interval)));
  add("timeout", quote(print_duration(tracing->timeout)));
  add("queue", fmt::to_string(tracing->queue));
  return text;
}

}  // namespace gateway::config
