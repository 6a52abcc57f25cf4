// The live table, as the admin listener shows it: a page, all rows as lines, or one connection.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "gateway/config/units.hh"
#include "gateway/process/admin_service.hh"
#include "gateway/process/body_reader.hh"
#include "gateway/process/capture_stream.hh"
#include "gateway/process/live_query.hh"

namespace gateway {
namespace {

using admin::error_reply;
using admin::Json;

constexpr std::chrono::minutes kCaptureTimeMax{10};
constexpr std::string_view kPcapngType = "application/x-pcapng";
// Of a stream, at once.
constexpr std::size_t kRowsOfPiece = 256;

std::optional<std::uint64_t> id_from(std::string_view text) {
  std::uint64_t id = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return id;
}

admin::Reply gone(const LiveAnswer& answer, std::string_view id) {
  if (!answer.is_whole) return error_reply(503, "the gateway stops: not all are known any more");
  return error_reply(404, fmt::format("there is no connection {} any more", id));
}

// What is asked for next, of rows that are sent as they are taken.
struct Stream {
  LiveQuery query;
  bool is_over = false;
};

}  // namespace

void AdminService::find_connections(admin::Request& request, const Done& done) {
  const auto take = [&](std::string_view name) { return request.query.take(name); };
  auto query = live_query_from(take);
  const std::string format = request.query.take("format").value_or("page");
  if (!query) return done(error_reply(400, query.error()));
  if (const auto unknown = request.query.unknown())
    return done(
        error_reply(400, fmt::format("'{}' is no filter: docs/admin.md lists them", *unknown)));
  if (format == "lines") return stream_connections(*std::move(query), done);
  if (format != "page")
    return done(error_reply(400, fmt::format("format: '{}' is neither page nor lines", format)));
  looks_.look(*std::move(query), [done](const LiveAnswer& answer) {
    Json rows = Json::array();
    for (const LiveRow& row : answer.page.rows) rows.push_back(row_json(row));
    done({.body = admin::to_text(
                      Json{{"connections", std::move(rows)},
                           {"next", answer.next ? Json(cursor_of(*answer.next)) : Json(nullptr)},
                           {"matched", answer.page.matched},
                           {"looked_at", answer.page.looked_at}}) +
                  "\n"});
  });
}

// A look for each piece: so however many there are, and however slowly they are taken, there is no
// more in memory than one.
void AdminService::stream_connections(LiveQuery query, const Done& done) {
  query.sort = LiveSort::kId;
  query.greatest_first = false;
  query.counts_all = false;
  query.rows = kRowsOfPiece;
  query.stream = looks_.new_stream();
  const auto stream = std::make_shared<Stream>(Stream{.query = std::move(query)});
  done(
      {.type = admin::kLinesType, .body = {}, .more = [this, stream](const admin::TakePiece& take) {
         if (stream->is_over) return take({});
         looks_.look(stream->query, [stream, take](const LiveAnswer& answer) {
           std::string lines;
           for (const LiveRow& row : answer.page.rows)
             lines += admin::to_text(row_json(row)) + "\n";
           stream->is_over = !answer.next;
           stream->query.after = answer.next;
           take(std::move(lines));
         });
       }});
}

// Until its time is over, its WebSocket has ended, or nobody takes it.
void AdminService::capture(const Path& path, const Json& body, const Done& done) {
  BodyReader reader(body);
  const auto time = config::parse_duration(reader.text("for").value_or("10s"));
  const std::string format = reader.text("format").value_or("lines");
  if (const auto fault = reader.fault()) return done(error_reply(400, *fault));
  if (!time || *time > kCaptureTimeMax || time->count() == 0)
    return done(error_reply(400, fmt::format("for: {}", time ? "it is 1ms to 10m" : time.error())));
  const auto found = std::ranges::find(kCaptureFormatNames, format);
  if (found == kCaptureFormatNames.end())
    return done(error_reply(400, fmt::format("format: '{}' is neither lines nor pcapng", format)));
  const auto id = id_from(path[1]);
  if (!id) return done(error_reply(404, fmt::format("'{}' is no connection's id", path[1])));
  LiveQuery query{.rows = 1};
  query.filter.id = id;
  const auto capture = std::make_shared<FrameCapture>(settings().capture_payload);
  const auto kind = static_cast<CaptureFormat>(found - kCaptureFormatNames.begin());
  const auto answer_with = [this, done, capture, kind, time,
                            text = path[1]](const LiveAnswer& answer) {
    if (answer.page.rows.empty()) return done(gone(answer, text));
    if (answer.page.rows.front().kind != LiveKind::kWebSocket)
      return done(error_reply(409, "this is no open WebSocket: nothing else has frames"));
    const auto stream = std::make_shared<CaptureStream>(parts_.loop, capture, kind, *time);
    done({.type = kind == CaptureFormat::kLines ? admin::kLinesType : kPcapngType,
          .body = capture_head(kind),
          .more = [stream](const admin::TakePiece& take) { stream->give(take); }});
  };
  looks_.capture(query, capture, answer_with);
}

void AdminService::show_connection(const std::string& text, const Done& done) {
  const auto id = id_from(text);
  LiveQuery query{.rows = 1, .details = true};
  query.filter.id = id;
  if (!id) return done(error_reply(404, fmt::format("'{}' is no connection's id", text)));
  looks_.look(query, [done, text](const LiveAnswer& answer) {
    if (answer.page.rows.empty()) return done(gone(answer, text));
    done({.body = admin::to_text(row_json(answer.page.rows.front())) + "\n"});
  });
}

}  // namespace gateway
