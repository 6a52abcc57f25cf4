#include "tools/load/report/html.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "tools/load/report/chart.hh"
#include "tools/load/report/charts.hh"
#include "tools/load/report/figures.hh"
#include "tools/load/report/html_sections.hh"
#include "tools/load/report/html_style.hh"
#include "tools/load/report/summary.hh"
#include "tools/load/report/verdict.hh"

namespace load::report {
namespace {

struct Badge {
  std::string_view style;
  std::string_view words;
};

Badge badge_of(const Result& result, const GateResults& gates) {
  switch (exit_status_of(result, gates)) {
    case 0: return {"good", "passed"};
    case 3: return {"doubt", "generator-limited"};
    case 4: return {"bad", "unreachable"};
    default: return {"bad", imbalance_of(result).empty() ? "failed" : "does not add up"};
  }
}

// The first line as a sentence, what follows as a list; without the word that the badge has.
std::string verdict_html(const Result& result, const GateResults& gates) {
  std::string text = verdict_of(result, gates);
  for (const std::string_view word : {"passed: ", "failed: "}) {
    if (text.starts_with(word)) text.erase(0, word.size());
  }
  std::string first, rest;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string line = with_micro_sign(escaped(text.substr(0, end)));
    text.erase(0, end + 1);
    if (first.empty()) {
      first = line;
    } else {
      rest += "<li>" + line + "</li>";
    }
  }
  return "<p>" + first + "</p>" + (rest.empty() ? "" : "<ul>" + rest + "</ul>");
}

std::string targets_of(const Result& result) {
  std::string text;
  for (const std::string& target : result.targets) text += (text.empty() ? "" : ", ") + target;
  return text.empty() ? "no target" : text;
}

std::string header_of(const Result& result, const GateResults& gates) {
  const Badge badge = badge_of(result, gates);
  const std::chrono::sys_seconds began{
      std::chrono::seconds(std::max<std::int64_t>(result.began_unix_ms, 0) / 1000)};
  return fmt::format(
      "<header><h1>{}</h1>\n<p class=\"meta\"><span>{:%Y-%m-%d %H:%M} UTC</span><span>{}{}</span>"
      "<span>gateway-load {}</span></p>\n"
      "<div class=\"verdict {}\"><b>{}</b><div>{}</div></div></header>\n",
      escaped(targets_of(result)), fmt::gmtime(began), duration_text(whole_time(result)),
      result.interrupted ? ", interrupted" : "", escaped(result.version), badge.style, badge.words,
      verdict_html(result, gates));
}

std::string figure(std::string_view name, std::string_view value, std::string_view note = "") {
  return fmt::format("<div><dt>{}</dt><dd>{}{}</dd></div>", name,
                     with_micro_sign(std::string(value)),
                     note.empty() ? "" : fmt::format("<small>{}</small>", note));
}

// The timing that says most about the run: of messages if there are any, else of connections.
Timing main_timing_of(const Result& result) {
  for (const Timing timing : {Timing::kRtt, Timing::kDelivery, Timing::kFirstMessage,
                              Timing::kUpgrade, Timing::kTls}) {
    if (!merged(result, timing).empty()) return timing;
  }
  return Timing::kTcp;
}

std::string figures_of(const Result& result) {
  const Timing timing = main_timing_of(result);
  const Histogram all = merged(result, timing);
  std::string text;
  if (const double rate = rate_of(result); rate > 0) {
    text += figure("rate", rate_text(rate));
  } else if (const double connects = connect_rate_of(result); connects > 0) {
    text += figure("opened", rate_text(connects));
  }
  const std::string words(name_of(timing).words);
  if (!all.empty()) {
    text += figure(words + " p50", duration_text(all.quantile(0.5)));
    text += figure(words + " p99", duration_text(all.quantile(0.99)));
    text += figure(words + " p99.9", duration_text(all.quantile(0.999)));
    text += figure(words + " max", duration_text(all.max()));
  }
  text += figure("open", count_text(result.open), count_text(result.open_max) + " at most");
  if (result.compress) {
    text += figure("permessage-deflate", compressed_connections(result),
                   compression_ratios(result));
  }
  const Counts counts = over_all_phases(result);
  text += figure("lost", count_text(counts.lost));
  if (counts.unanswered > 0) text += figure("cut off", count_text(counts.unanswered));
  text += figure("errors", count_text(errors_of(result)));
  if (const auto cpu = cpu_per_message(result)) {
    text += figure("CPU a message", duration_text(*cpu), "of those watched");
  }
  if (result.found_rate) text += figure("within the objective", rate_text(*result.found_rate));
  return "<dl class=\"figures\">" + text + "</dl>\n";
}

}  // namespace

std::string html_of(const Result& result, const GateResults& gates) {
  const Badge badge = badge_of(result, gates);
  const std::string charts = charts_of(result);
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{}: {}</title>\n<style>{}</style></head>\n<body><main>\n{}{}{}{}"
      "<footer><p>The command</p><code>{}</code></footer>\n</main></body></html>\n",
      badge.words, escaped(targets_of(result)), kStyle, header_of(result, gates),
      figures_of(result),
      charts.empty() ? "" : "<section class=\"charts\">\n" + charts + "</section>\n",
      sections_of(result, gates), escaped(result.command));
}

}  // namespace load::report
