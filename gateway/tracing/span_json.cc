#include "gateway/tracing/span_json.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <iterator>
#include <utility>

#include "gateway/log/fields.hh"
#include "gateway/log/quoted.hh"
#include "gateway/log/render.hh"

namespace gateway::tracing {
namespace {

using Names = std::pair<std::string_view, std::string_view>;

// Fields of lines, and what others call them.
constexpr std::array kAttributes = {
    Names{"status", "http.response.status_code"},
    Names{"request_bytes", "http.request.body.size"},
    Names{"response_bytes", "http.response.body.size"},
    Names{"resends", "http.request.resend_count"},
    Names{"header_user_agent", "user_agent.original"},
    Names{"id", "gateway.connection"},
    Names{"n", "gateway.request_number"},
};
// What is said of it elsewhere in the span.
constexpr std::array<std::string_view, 3> kToldElsewhere = {"trace_id", "span_id", "ms"};
constexpr std::array<std::string_view, 9> kMethods = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

constexpr std::uint64_t kServerErrors = 500;    // and above
constexpr std::uint64_t kInternalError = 1011;  // RFC 6455 section 7.4.1

enum class Kind : std::uint8_t { kInternal = 1, kServer = 2 };  // SpanKind
constexpr int kStatusError = 2;                                 // StatusCode

// Of all that the record says, what more than one attribute needs.
struct Facts {
  std::string_view event;
  std::string_view request;  // "GET a.test /path?query"
  std::string_view route;
  std::string_view end;
  std::string_view by;
  std::string_view cause;
  std::uint64_t status = 0;
  std::uint64_t code = 0;

  // What began with a handshake, not the handshake itself.
  bool is_life() const { return event == "websocket" || event == "tunnel"; }
  bool is_handshake() const { return event.ends_with("-opened"); }
  std::string_view method() const {
    const std::string_view given = request.substr(0, request.find(' '));
    return std::ranges::find(kMethods, given) != kMethods.end() ? given : "_OTHER";
  }
  bool is_failure() const {
    if (status >= kServerErrors || code == kInternalError) return true;
    return by == "upstream" && end != "done";
  }
  // A status, or a close code, where nothing else has failed.
  std::string error_type() const {
    if (!end.empty() && end != "done") return std::string(end);
    return fmt::to_string(status != 0 ? status : code);
  }
};

Facts facts_of(const LogRing::Record& record) {
  FieldReader reader(record.text);
  Facts facts{.event = reader.event()};
  while (const auto field = reader.next()) {
    if (field->name == "request") facts.request = field->text;
    if (field->name == "route") facts.route = field->text;
    if (field->name == "end") facts.end = field->text;
    if (field->name == "by") facts.by = field->text;
    if (field->name == "cause") facts.cause = field->text;
    if (field->name == "status") facts.status = field->number;
    if (field->name == "code") facts.code = field->number;
  }
  return facts;
}

class Attributes {
 public:
  explicit Attributes(std::string& to) : to_(to) {}

  void text(std::string_view key, std::string_view value) {
    begin(key);
    to_ += "{\"stringValue\":";
    append_json_string(to_, value);
    to_ += "}}";
  }
  // A number of 64 bits is a string in protobuf's JSON.
  template <std::integral Number>
  void number(std::string_view key, Number value) {
    begin(key);
    fmt::format_to(std::back_inserter(to_), "{{\"intValue\":\"{}\"}}}}", value);
  }
  void list_of_one(std::string_view key, std::string_view value) {
    begin(key);
    to_ += "{\"arrayValue\":{\"values\":[{\"stringValue\":";
    append_json_string(to_, value);
    to_ += "}]}}}";
  }

 private:
  void begin(std::string_view key) {
    if (std::exchange(any_, true)) to_ += ',';
    to_ += "{\"key\":";
    append_json_string(to_, key);
    to_ += ",\"value\":";
  }

  std::string& to_;
  bool any_ = false;
};

// "192.0.2.7:51200", "[2001:db8::1]:443", or without a port: server.address and server.port, or the
// client's.
void add_address(Attributes& attributes, std::string_view whose, std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (text.ends_with(']')) colon = text.npos;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  attributes.text(fmt::format("{}.address", whose), host);
  if (colon == text.npos) return;
  std::uint16_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [rest, error] = std::from_chars(digits.begin(), digits.end(), port);
  if (error == std::errc{} && rest == digits.end() && port > 0)
    attributes.number(fmt::format("{}.port", whose), port);
}

// "GET a.test /path?query": what its client has asked for.
void add_request(Attributes& attributes, const Facts& facts) {
  const std::size_t blank = facts.request.find(' ');
  attributes.text("http.request.method", facts.method());
  if (facts.method() == "_OTHER")
    attributes.text("http.request.method_original", facts.request.substr(0, blank));
  if (blank == facts.request.npos) return;
  std::string_view target = facts.request.substr(blank + 1);
  const std::size_t host_bytes = target.find(' ');
  if (host_bytes == target.npos) return;
  if (host_bytes > 0) add_address(attributes, "server", target.substr(0, host_bytes));
  target.remove_prefix(host_bytes + 1);
  // In absolute-form (RFC 9112 section 3.2.2) its host has been told already.
  if (const std::size_t scheme = target.find("://"); scheme < target.find('/')) {
    target.remove_prefix(scheme + 3);
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  if (mark > 0) attributes.text("url.path", target.substr(0, mark));
  if (mark < target.size()) attributes.text("url.query", target.substr(mark + 1));
}

void add_header(Attributes& attributes, std::string_view field, std::string_view value) {
  std::string name(field.substr(kHeaderField.size()));
  std::ranges::replace(name, '_', '-');
  attributes.list_of_one("http.request.header." + name, value);
}

void add_field(Attributes& attributes, const LogField& field) {
  const auto known = std::ranges::find(kAttributes, field.name, &Names::first);
  const bool is_known = known != kAttributes.end();
  const std::string name =
      is_known ? std::string(known->second) : "gateway." + std::string(field.name);
  const std::string_view text = field.text.substr(0, Quoted::kBytesMax);
  switch (field.type) {
    case FieldType::kUnsigned:
      return attributes.number(name, field.number);
    case FieldType::kSigned:
      return attributes.number(name, static_cast<std::int64_t>(field.number));
    case FieldType::kWord:
    case FieldType::kQuoted:
      if (!is_known && field.name.starts_with(kHeaderField))
        return add_header(attributes, field.name, text);
      return attributes.text(name, text);
    case FieldType::kNone:
    case FieldType::kRemark:
    case FieldType::kSaid:
    case FieldType::kSpan:
    case FieldType::kCut:
      return;
  }
}

void add_attributes(std::string& to, const LogRing::Record& record, const SpanMark& mark,
                    const Facts& facts) {
  Attributes attributes(to);
  if (!facts.is_life()) {
    add_request(attributes, facts);
    attributes.text("url.scheme", mark.secure ? "https" : "http");
  }
  if (facts.is_handshake()) attributes.number("http.response.status_code", 101);
  if (facts.is_failure()) attributes.text("error.type", facts.error_type());
  FieldReader reader(record.text);
  while (const auto field = reader.next()) {
    if (field->name == "request" || std::ranges::count(kToldElsewhere, field->name) > 0) continue;
    if (field->name == "client") {
      add_address(attributes, "client", field->text);
    } else if (field->name != "status" || field->number != 0) {
      add_field(attributes, *field);
    }
  }
}

std::string name_of(const Facts& facts) {
  const std::string_view what = facts.is_life()              ? facts.event
                                : facts.method() == "_OTHER" ? std::string_view("HTTP")
                                                             : facts.method();
  return facts.route.empty() ? std::string(what) : fmt::format("{} {}", what, facts.route);
}

}  // namespace

std::string span_json(const LogRing::Record& record, const SpanMark& mark) {
  const Facts facts = facts_of(record);
  const auto text_of = [](const auto& digits) {
    return std::string_view(digits.data(), digits.size());
  };
  std::string span;
  fmt::format_to(std::back_inserter(span), R"({{"traceId":"{}","spanId":"{}")", text_of(mark.trace),
                 text_of(mark.id));
  if (mark.parent != kNoSpan)
    fmt::format_to(std::back_inserter(span), R"(,"parentSpanId":"{}")", text_of(mark.parent));
  span += ",\"name\":";
  append_json_string(span, name_of(facts));
  const Kind kind = facts.is_life() ? Kind::kInternal : Kind::kServer;
  fmt::format_to(std::back_inserter(span),
                 R"(,"kind":{},"startTimeUnixNano":"{}","endTimeUnixNano":"{}","attributes":[)",
                 static_cast<int>(kind), record.time_ns - mark.duration_ns, record.time_ns);
  add_attributes(span, record, mark, facts);
  span += ']';
  if (facts.is_failure()) {
    fmt::format_to(std::back_inserter(span), R"(,"status":{{"code":{},"message":)", kStatusError);
    append_json_string(span, facts.cause);
    span += '}';
  }
  span += '}';
  return span;
}

std::string export_json(const Resource& resource, const std::vector<std::string>& spans) {
  std::string text = R"({"resourceSpans":[{"resource":{"attributes":[)";
  Attributes attributes(text);
  attributes.text("service.name", resource.service);
  attributes.text("service.version", resource.version);
  attributes.text("service.instance.id", resource.instance);
  if (!resource.host.empty()) attributes.text("host.name", resource.host);
  attributes.number("process.pid", static_cast<std::uint64_t>(resource.pid));
  text += R"(]},"scopeSpans":[{"scope":{"name":"gateway","version":)";
  append_json_string(text, resource.version);
  text += R"(},"spans":[)";
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (i > 0) text += ',';
    text += spans[i];
  }
  text += "]}]}]}";
  return text;
}

}  // namespace gateway::tracing
