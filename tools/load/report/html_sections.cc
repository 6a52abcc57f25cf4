#include "tools/load/report/html_sections.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tools/load/report/bad_text.hh"
#include "tools/load/report/chart.hh"
#include "tools/load/report/figures.hh"
#include "tools/load/report/quantile_table.hh"
#include "tools/load/report/summary.hh"

namespace load::report {
namespace {

std::string duration_html(std::chrono::nanoseconds duration) {
  return with_micro_sign(duration_text(duration));
}

std::string section(std::string_view title, const std::string& inside, std::string_view style) {
  if (inside.empty()) return "";
  return fmt::format("<section class=\"{}\"><h2>{}</h2>{}</section>\n", style, title, inside);
}

std::string gates_html(const GateResults& gates) {
  std::string rows;
  for (const GateResult& one : gates) {
    rows += fmt::format(
        "<tr class=\"{}\"><td><b>{}</b></td><td><code>{}</code></td><td>{}</td></tr>",
        one.failed ? "bad" : "good", one.failed ? "failed" : "held", escaped(one.gate.text),
        with_micro_sign(escaped(gates::found_text(one))));
  }
  if (rows.empty()) return "";
  return "<div class=\"scroll\"><table><thead><tr><th></th><th>must not be</th><th>was</th></tr>"
         "</thead><tbody>" + rows + "</tbody></table></div>";
}

std::string fact(std::uint64_t count, std::string_view words, bool bad = false) {
  if (count == 0) return "";
  return fmt::format("<li{}><b>{}</b> {}</li>", bad ? " class=\"bad\"" : "", count_text(count),
                     words);
}

std::string facts_of(const Counts& counts) {
  const std::string text =
      fact(counts.sent, "sent") + fact(counts.received, "received") +
      fact(counts.delivered, "delivered") + fact(counts.lost, "lost", true) +
      fact(counts.undelivered, "never delivered", true) +
      fact(counts.unanswered, "cut off with their connection", true) +
      fact(counts.late, "answered too late", true) + fact(counts.duplicated, "duplicated", true) +
      fact(counts.reordered, "reordered", true) +
      fact(counts.unexpected, "that nobody sent", true) +
      fact(counts.unsent, "due but unsent", true) + fact(counts.in_flight, "in flight at the end") +
      fact(counts.opened, "connections opened") + fact(counts.failed, "failed", true) +
      fact(counts.full, "full handshakes") + fact(counts.resumed, "resumed") +
      fact(counts.lost_idle, "ended by the peer while idle", true) +
      fact(counts.lost_sending, "ended by the peer while sending", true);
  return text.empty() ? "" : "<ul class=\"facts\">" + text + "</ul>";
}

// A phone has no room for all columns.
std::string_view style_of(const NamedShare& share) {
  return share.key == "p90" ? " class=\"wide\"" : "";
}

std::string timings_of(const Phase& phase) {
  std::string rows;
  for (const TimingName& name : kTimingNames) {
    const Histogram& histogram = phase.timings[static_cast<std::size_t>(name.timing)];
    if (histogram.empty()) continue;
    rows += fmt::format("<tr><th>{}</th><td class=\"wide\">{}</td>", name.words,
                        count_text(histogram.count()));
    for (const NamedShare& one : kShares) {
      const std::string text = duration_html(histogram.quantile(one.share));
      rows += fmt::format("<td{}>{}</td>", style_of(one), text);
    }
    rows += "<td>" + duration_html(histogram.max()) + "</td></tr>";
  }
  if (rows.empty()) return "";
  std::string head = "<th></th><th class=\"wide\">count</th>";
  for (const NamedShare& one : kShares) {
    head += fmt::format("<th{}>{}</th>", style_of(one), one.key);
  }
  return "<div class=\"scroll\"><table class=\"numbers\"><thead><tr>" + head +
         "<th>max</th></tr></thead><tbody>" + rows + "</tbody></table></div>";
}

std::string phases_html(const Result& result) {
  std::string text;
  for (const Phase& phase : result.phases) {
    if (is_empty(phase)) continue;
    const double rate = rate_of(result, phase.counts, phase.length);
    std::string note = duration_text(phase.length) + " from " + clock_text(phase.begin) + " on";
    if (rate > 0) note += ", " + rate_text(rate);
    if (phase.rate_wanted > 0) note += " of the " + rate_text(phase.rate_wanted) + " wanted";
    text += fmt::format("<article><h3>{}<small>{}</small></h3>{}{}</article>\n",
                        escaped(phase.name), note, facts_of(phase.counts), timings_of(phase));
  }
  return text;
}

struct CodeName {
  int code;
  std::string_view words;
};
// RFC 6455 section 7.4.1 and the registry that it makes.
constexpr CodeName kCloseNames[] = {
    {1000, "normal"},          {1001, "going away"},     {1002, "protocol error"},
    {1003, "kind not taken"},  {1005, "none given"},     {1006, "cut, no close frame"},
    {1007, "invalid text"},    {1008, "policy"},         {1009, "too big"},
    {1010, "lacks extension"}, {1011, "internal error"}, {1012, "restart"},
    {1013, "try again later"}, {1014, "bad gateway"},    {1015, "TLS"},
};

template <typename Code>
std::string codes_of(std::string_view title, const std::map<Code, std::uint64_t>& codes,
                     std::span<const CodeName> names) {
  if (codes.empty()) return "";
  std::uint64_t most = 1;
  for (const auto& [code, count] : codes) most = std::max(most, count);
  std::string rows;
  for (const auto& [code, count] : codes) {
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](const CodeName& one) { return one.code == code; });
    rows += fmt::format(
        "<tr><th>{}</th><td class=\"what\">{}</td><td class=\"bar\"><i style=\"width:{:.1f}%\"></i>"
        "</td><td>{}</td></tr>",
        code, found == names.end() ? "" : found->words,
        100 * static_cast<double>(count) / static_cast<double>(most), count_text(count));
  }
  return fmt::format("<div><h3>{}</h3><table class=\"codes\"><tbody>{}</tbody></table></div>",
                     title, rows);
}

std::string endings_html(const Result& result) {
  const std::string text = codes_of("closed by the peer", result.closes_by_peer, kCloseNames) +
                           codes_of("closed by us", result.closes_by_us, kCloseNames) +
                           codes_of("HTTP statuses", result.statuses, {});
  return text.empty() ? "" : "<div class=\"columns\">" + text + "</div>";
}

std::string errors_html(const Result& result) {
  std::string rows;
  for (const auto& [kind, error] : result.errors) {
    rows += fmt::format("<li><b>{}</b><div>{}{}</div></li>", count_text(error.count), escaped(kind),
                        error.example.empty()
                            ? ""
                            : "<small>the first: " + escaped(error.example) + "</small>");
  }
  return rows.empty() ? "" : "<ul class=\"errors\">" + rows + "</ul>";
}

std::string storms_html(const Result& result) {
  std::string rows;
  for (const Storm& storm : result.storms) {
    rows += fmt::format("<li>at {}: <b>{}</b> connections dropped, {}</li>",
                        clock_text(storm.begin), count_text(storm.dropped),
                        storm.recovered
                            ? "recovered in <b>" + duration_html(*storm.recovered) + "</b>"
                            : "<b class=\"bad\">not recovered</b> when the run ended");
  }
  return rows.empty() ? "" : "<ul class=\"plain\">" + rows + "</ul>";
}

std::string bad_html(const Result& result) {
  std::string rows;
  for (const auto& [kind, bad] : result.bad) {
    std::string cells = fmt::format("<td>{}</td><td class=\"wide\">{}</td><td>{}</td><td>{}</td>",
                                    count_text(bad.opened), count_text(bad.refused),
                                    count_text(ended_by_peer(bad)), count_text(bad.open));
    cells += bad.until_ended.empty() ? "<td></td>"
                                     : "<td>" + duration_html(bad.until_ended.max()) + "</td>";
    rows += fmt::format("<tr><th>{}</th>{}<td class=\"how\">{}</td></tr>", name_of(kind), cells,
                        fmt::join(bad_endings_of(bad), ", "));
  }
  if (rows.empty()) return "";
  return "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th></th><th>opened</th>"
         "<th class=\"wide\">refused</th><th>ended</th><th>still open</th><th>within</th>"
         "<th>by the target</th></tr></thead><tbody>" + rows + "</tbody></table></div>";
}

std::string machine_html(const Result& result) {
  const Generator& generator = result.generator;
  std::string rows = fmt::format(
      "<li>generator: {} {}, <b>{:.2f} s</b> of processor time, the busiest at <b>{:.0f} %</b> of "
      "a core</li>",
      generator.shards, generator.shards == 1 ? "thread" : "threads", generator.cpu_seconds,
      generator.busiest_shard * 100);
  for (const Watched& one : result.watched) {
    rows += fmt::format("<li>process {}: <b>{:.2f} s</b> of processor time, <b>{}</b> resident at "
                        "most ({} before)</li>",
                        one.pid, one.cpu_seconds, bytes_text(one.resident_bytes_max),
                        bytes_text(one.resident_bytes_before));
  }
  return "<ul class=\"plain\">" + rows + "</ul>";
}

}  // namespace

std::string sections_of(const Result& result, const GateResults& gates) {
  return section("Gates", gates_html(gates), "gates") +
         section("Errors", errors_html(result), "panel") +
         section("Storms", storms_html(result), "panel") +
         section("Bad citizens", bad_html(result), "panel") +
         section("Close codes and statuses", endings_html(result), "panel") +
         section("Phases", phases_html(result), "phases") +
         section("Machine", machine_html(result), "panel");
}

}  // namespace load::report
