// Requests as upstreams get them.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "gateway/rewrite/fields.hh"
#include "gateway/rewrite/forward.hh"
#include "gateway/rewrite/offers.hh"
#include "gateway/rewrite/owned_fields.hh"
#include "proto/http/cookie.hh"
#include "proto/http/syntax.hh"
#include "proto/http/target.hh"
#include "proto/tls/certificate_facts.hh"

namespace gateway {
namespace {

using http::equals_ignoring_case;

constexpr std::size_t kOwnBytes = 512;  // about what the gateway's own lines take
constexpr std::uint32_t kCookieTag = http::field_tag("Cookie");
constexpr std::uint32_t kExpectTag = http::field_tag("Expect");
constexpr std::uint32_t kMaxForwardsTag = http::field_tag("Max-Forwards");

// Of a body that is not sent, of conditions that are for another resource, and what a question says
// itself.
constexpr std::string_view kNotInQuestions[] = {
    "Expect",           "Content-Type", "Content-Encoding",  "Content-Range",
    "Content-Language", "Range",        "If-Range",          "If-Match",
    "If-None-Match",    "Max-Forwards", "If-Modified-Since", "If-Unmodified-Since",
    "Trailer",          "TE",           "X-Forwarded-Uri",   "X-Forwarded-Method"};
constexpr std::string_view kTraceParent = "traceparent";
constexpr std::string_view kCredentials[] = {"Authorization", "Cookie"};

// One less, but never less than 0; nothing where it is no number (RFC 9110 section 7.6.2).
std::optional<std::uint32_t> decremented(std::string_view value) {
  std::uint32_t number = 0;
  const char* const value_end = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), value_end, number);
  if (end != value_end || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::uint32_t>::max();
  return number == 0 ? 0 : number - 1;
}

bool is_of_trace(std::string_view name) {
  return std::ranges::any_of(config::kTraceFields,
                             [&](std::string_view one) { return equals_ignoring_case(one, name); });
}

class RequestWriter {
 public:
  RequestWriter(std::string& head, const http::RequestHead& request, proto::Bytes buffer,
                const RequestForwarding& forwarding)
      : head_(head),
        request_(request),
        buffer_(buffer),
        forwarding_(forwarding),
        changes_(forwarding.changes),
        authority_(request.authority.in(buffer)),
        has_address_(forwarding.peer_address != "unix") {}

  void write();

 private:
  void write_question(const AuthQuestion& question);
  void add_identity();
  bool leaves_out(std::string_view name) const;
  bool keeps(std::string_view name) const;
  // A question goes by the route's changes in nothing but whom it believes.
  bool drops(std::string_view name) const {
    return forwarding_.question == nullptr && changes_.drops(name);
  }
  bool is_server_wide() const;
  void add_request_line();
  void add_host();
  void add_fields();
  void add_clients(std::string_view name, std::uint32_t tag, std::string_view value);
  void add_cookies(std::string_view name, std::string_view value);
  void add_max_forwards(std::string_view name, std::string_view value);

  void add_origin();
  void add_unless_told(std::string_view name, std::string_view value);
  bool begin_chain(std::string_view name);
  void add_forwarded_for();
  void add_forwarded();
  void add_client_certificate();
  void add_marks();

  std::string& head_;
  const http::RequestHead& request_;
  const proto::Bytes buffer_;
  const RequestForwarding& forwarding_;
  const FieldChanges changes_;
  const std::string_view authority_;
  const bool has_address_;  // of the peer
};

void RequestWriter::write() {
  head_.reserve(head_.size() + request_.bytes + kOwnBytes);
  if (forwarding_.question != nullptr) return write_question(*forwarding_.question);
  add_request_line();
  add_host();
  add_fields();
  add_framing(head_, http::request_framing(request_));
  if (request_.chunked) add_trailer_names(head_, request_, buffer_, changes_);
  add_origin();
  if (forwarding_.client_certificate != nullptr) add_client_certificate();
  if (!changes_.drops("Via")) add_via(head_, request_.minor_version, forwarding_.via);
  changes_.add_to(head_, "Host");
  add_identity();
  add_marks();
  if (forwarding_.websocket != nullptr) {
    add_line(head_, "Upgrade", "websocket");
    add_line(head_, "Connection", "Upgrade");
  } else if (!forwarding_.upgrade.empty()) {
    add_line(head_, "Upgrade", forwarding_.upgrade);
    add_line(head_, "Connection", "Upgrade");
  } else if (request_.minor_version > 0 && request_.fields.has_token(buffer_, "TE", "trailers")) {
    // RFC 9110 section 10.1.4: the client takes trailers, and gets them in a chunked response.
    add_line(head_, "TE", "trailers");
    add_line(head_, "Connection", "TE");
  }
  head_.append("\r\n");
}

// Without a word of the request's body, or of an upgrade.
void RequestWriter::write_question(const AuthQuestion& question) {
  append_all(head_, {"GET ", question.path, " HTTP/1.1\r\n"});
  add_line(head_, "Host", question.host.empty() ? authority_ : question.host);
  add_fields();
  add_origin();
  if (forwarding_.client_certificate != nullptr) add_client_certificate();
  add_line(head_, "X-Forwarded-Method", request_.method_text.in(buffer_));
  add_line(head_, "X-Forwarded-Uri", is_server_wide() ? "*" : question.target);
  add_via(head_, request_.minor_version, forwarding_.via);
  add_identity();
  add_marks();
  head_.append("\r\n");
}

void RequestWriter::add_identity() {
  for (const config::Header& header : forwarding_.identity) {
    add_line(head_, header.name, header.value);
  }
}

void RequestWriter::add_marks() {
  const ForwardedMarks& marks = forwarding_.marks;
  if (!marks.request_id.empty()) add_line(head_, config::kRequestIdHeader, marks.request_id);
  if (!marks.traceparent.empty()) add_line(head_, kTraceParent, marks.traceparent);
}

// RFC 9110 section 7.6.1: what is for all who come behind, no Connection may name. A trace is
// (W3C Trace Context section 2.2: who takes part in one passes it on), and its line in the log
// tells of it already.
bool RequestWriter::keeps(std::string_view name) const {
  return forwarding_.marks.keeps_trace && is_of_trace(name);
}

// Whether the client's field goes no further, whoever may send it otherwise.
bool RequestWriter::leaves_out(std::string_view name) const {
  const ForwardedMarks& marks = forwarding_.marks;
  if (marks.drops_trace && is_of_trace(name)) return true;
  if (!marks.traceparent.empty() && equals_ignoring_case(name, kTraceParent)) return true;
  if (forwarding_.question == nullptr) return changes_.replaces(name);
  const auto is_meant = [&](std::string_view one) { return equals_as_variable(one, name); };
  // What a client shows of itself is asked about, even where the server gets another one.
  const bool is_credential = std::ranges::any_of(kCredentials, is_meant);
  return std::ranges::any_of(kNotInQuestions, is_meant) || (changes_.owns(name) && !is_credential);
}

// RFC 9112 sections 3.2.4 and 3.2.1: a whole server is asked in asterisk-form, whatever form came;
// everything else goes in origin-form.
bool RequestWriter::is_server_wide() const {
  return request_.form == http::TargetForm::kAsterisk ||
         (request_.method == http::Method::kOptions && request_.path.empty() &&
          request_.query.empty());
}

void RequestWriter::add_request_line() {
  append_all(head_, {request_.method_text.in(buffer_), " ",
                     is_server_wide() ? "*" : forwarding_.target, " HTTP/1.1\r\n"});
}

void RequestWriter::add_host() {
  const std::string* const set = changes_.value_of("Host");
  add_line(head_, "Host", set != nullptr ? std::string_view(*set) : authority_);
}

void RequestWriter::add_fields() {
  const HopFilter hops(request_.fields, buffer_);
  for (const http::Field& field : request_.fields.all()) {
    const std::string_view name = field.name.in(buffer_);
    const std::string_view value = field.value.in(buffer_);
    if (leaves_out(name)) continue;
    switch (owner_of(name, field.tag)) {
      case Owner::kGateway:
      case Owner::kNobody:
        break;
      case Owner::kTrustedPeer:
        // Not even Connection takes it away.
        if (forwarding_.peer_trusted) add_line(head_, name, value);
        break;
      case Owner::kClient:
        if (!hops.removes(name) || keeps(name)) add_clients(name, field.tag, value);
        break;
    }
  }
}

void RequestWriter::add_clients(std::string_view name, std::uint32_t tag, std::string_view value) {
  if (tag == kExpectTag && equals_ignoring_case(name, "Expect")) {
    // RFC 9110 section 10.1.1: HTTP/1.0 does not know it.
    if (request_.minor_version > 0) add_line(head_, name, value);
  } else if (tag == kMaxForwardsTag && equals_ignoring_case(name, "Max-Forwards")) {
    add_max_forwards(name, value);
  } else if (tag == kCookieTag && equals_ignoring_case(name, "Cookie")) {
    add_cookies(name, value);
  } else if (forwarding_.websocket != nullptr && is_offer(name)) {
    add_offers(head_, name, value, offer_policy(*forwarding_.websocket));
  } else {
    add_line(head_, name, value);
  }
}

// But for the gateway's own; a line that has it not passes as it came, one that has nothing else
// does not.
void RequestWriter::add_cookies(std::string_view name, std::string_view value) {
  const std::string_view own = forwarding_.sticky_cookie;
  const auto is_own = [&](const http::Cookie& cookie) { return cookie.name == own; };
  bool has_own = false;
  http::CookieReader look(value);
  while (const auto cookie = own.empty() ? std::nullopt : look.next()) {
    has_own = has_own || is_own(*cookie);
  }
  if (!has_own) return add_line(head_, name, value);
  bool begun = false;
  http::CookieReader reader(value);
  while (const auto cookie = reader.next()) {
    if (is_own(*cookie)) continue;
    if (begun) {
      head_.append("; ");
    } else {
      head_.append(name).append(": ");
    }
    head_.append(cookie->text);
    begun = true;
  }
  if (begun) head_.append("\r\n");
}

void RequestWriter::add_max_forwards(std::string_view name, std::string_view value) {
  const bool counts =
      request_.method == http::Method::kOptions || request_.method == http::Method::kTrace;
  const auto left = counts ? decremented(value) : std::nullopt;
  if (!left) {
    add_line(head_, name, value);
    return;
  }
  head_.append(name).append(": ");
  add_number(head_, *left);
  head_.append("\r\n");
}

// Where the request came from and where it went to, for those behind.
void RequestWriter::add_origin() {
  add_forwarded_for();
  add_unless_told("X-Forwarded-Proto", forwarding_.secure ? "https" : "http");
  add_unless_told("X-Forwarded-Host", authority_);
  std::array<char, 5> digits;
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), forwarding_.listener_port);
  const std::string_view port(digits.data(), end);
  add_unless_told("X-Forwarded-Port", forwarding_.listener_port == 0 ? "" : port);
  add_forwarded();
}

// What a trusted peer says, the last of it, else the value; no line where that is empty.
void RequestWriter::add_unless_told(std::string_view name, std::string_view value) {
  if (drops(name)) return;
  if (forwarding_.peer_trusted) {
    request_.fields.for_each(buffer_, name, [&](std::string_view told) {
      if (!told.empty()) value = told;
    });
  }
  if (!value.empty()) add_line(head_, name, value);
}

// Begins a line with what a trusted peer says in all its lines; false: it says nothing, and there
// is no line yet.
bool RequestWriter::begin_chain(std::string_view name) {
  if (!forwarding_.peer_trusted) return false;
  bool begun = false;
  request_.fields.for_each(buffer_, name, [&](std::string_view told) {
    if (told.empty()) return;
    if (begun) {
      head_.append(", ");
    } else {
      head_.append(name).append(": ");
    }
    head_.append(told);
    begun = true;
  });
  return begun;
}

void RequestWriter::add_forwarded_for() {
  if (drops("X-Forwarded-For")) return;
  const bool begun = begin_chain("X-Forwarded-For");
  if (has_address_) {
    append_all(head_, {begun ? ", " : "X-Forwarded-For: ", forwarding_.peer_address});
  }
  if (begun || has_address_) head_.append("\r\n");
}

// RFC 7239 sections 4 to 6. Neither an address nor an authority holds what must be escaped.
void RequestWriter::add_forwarded() {
  if (drops("Forwarded")) return;
  const bool begun = begin_chain("Forwarded");
  head_.append(begun ? ", for=" : "Forwarded: for=");
  if (!has_address_) {
    head_.append("unknown");
  } else if (forwarding_.peer_address.find(':') != std::string_view::npos) {
    append_all(head_, {"\"[", forwarding_.peer_address, "]\""});
  } else {
    head_.append(forwarding_.peer_address);
  }
  if (http::is_token(authority_)) {
    append_all(head_, {";host=", authority_});
  } else if (!authority_.empty()) {
    append_all(head_, {";host=\"", authority_, "\""});
  }
  head_.append(forwarding_.secure ? ";proto=https\r\n" : ";proto=http\r\n");
}

// Of an empty text there is no line: nobody else can have written one either.
void RequestWriter::add_client_certificate() {
  const tls::CertificateFacts& facts = *forwarding_.client_certificate;
  const struct {
    std::string_view name;
    const std::string& value;
  } lines[] = {
      {"X-Client-Cert-Subject", facts.subject},
      {"X-Client-Cert-Issuer", facts.issuer},
      {"X-Client-Cert-San", facts.names},
      {"X-Client-Cert-Serial", facts.serial},
      {"X-Client-Cert-Fingerprint", facts.fingerprint},
  };
  for (const auto& [name, value] : lines) {
    if (!value.empty() && !changes_.drops(name)) add_line(head_, name, value);
  }
}

}  // namespace

std::optional<std::size_t> resolve_target(std::pmr::string& target,
                                          const http::RequestHead& request, proto::Bytes buffer) {
  const std::string_view path =
      request.form == http::TargetForm::kAsterisk ? "/" : request.path.in(buffer);
  target.resize(std::max<std::size_t>(path.size(), 1));
  const auto resolved = http::resolve_path(path, target);
  if (!resolved) return std::nullopt;
  const std::size_t path_bytes = resolved->size();
  target.resize(path_bytes);
  target.append(request.query.in(buffer));
  return path_bytes;
}

void forward_request(std::string& head, const http::RequestHead& request, proto::Bytes buffer,
                     const RequestForwarding& forwarding) {
  RequestWriter(head, request, buffer, forwarding).write();
}

}  // namespace gateway
