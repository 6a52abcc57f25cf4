#include "gateway/forward.hh"

#include <array>
#include <charconv>

#include "proto/http/syntax.hh"

namespace gateway {
namespace {

using http::equals_ignoring_case;

void add_line(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

void add_number(std::string& text, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  text.append(digits.data(), end);
}

void add_framing(std::string& head, http::BodyFraming framing) {
  if (framing.kind == http::Framing::kChunked) {
    add_line(head, "Transfer-Encoding", "chunked");
  } else if (framing.kind == http::Framing::kLength) {
    head.append("Content-Length: ");
    add_number(head, framing.length);
    head.append("\r\n");
  }
}

// Fields that the gateway writes itself, whatever the client put there.
bool is_ours(std::string_view name) {
  constexpr std::array<std::string_view, 7> kOurs = {"Host",
                                                     "Content-Length",
                                                     "X-Forwarded-For",
                                                     "X-Forwarded-Proto",
                                                     "X-Forwarded-Host",
                                                     "X-Forwarded-Port",
                                                     "Forwarded"};
  for (const std::string_view ours : kOurs) {
    if (equals_ignoring_case(name, ours)) return true;
  }
  return false;
}

template <class Skip>
void add_fields(std::string& head, const http::Fields& fields, proto::Bytes buffer, Skip skip) {
  for (const http::Field& field : fields.all()) {
    const std::string_view name = field.name.in(buffer);
    if (skip(name) || http::is_hop_by_hop(fields, buffer, name)) continue;
    add_line(head, name, field.value.in(buffer));
  }
}

void add_status_line(std::string& head, const http::ResponseHead& response, proto::Bytes buffer) {
  head.append("HTTP/1.1 ");
  add_number(head, response.status);
  head.append(" ").append(response.reason.in(buffer)).append("\r\n");
}

bool is_content_length(std::string_view name) {
  return equals_ignoring_case(name, "Content-Length");
}

}  // namespace

void forward_request(std::string& head, const http::RequestHead& request, proto::Bytes buffer,
                     const ForwardedFor& forwarded, bool websocket) {
  head.append(request.method_text.in(buffer)).append(" ");
  if (request.form == http::TargetForm::kAbsolute) {
    // RFC 9112 section 3.2.1: to an origin server the target goes in origin-form.
    const bool server_wide =
        request.method == http::Method::kOptions && request.path.empty() && request.query.empty();
    if (request.path.empty()) head.append(server_wide ? "*" : "/");
    head.append(request.path.in(buffer)).append(request.query.in(buffer));
  } else {
    head.append(request.target.in(buffer));
  }
  head.append(" HTTP/1.1\r\n");

  const std::string_view host = request.authority.in(buffer);
  add_line(head, "Host", host);
  add_fields(head, request.fields, buffer, is_ours);
  add_framing(head, http::request_framing(request));
  add_line(head, "X-Forwarded-For", forwarded.client_address);
  add_line(head, "X-Forwarded-Proto", forwarded.secure ? "https" : "http");
  if (!host.empty()) add_line(head, "X-Forwarded-Host", host);
  if (websocket) add_line(head, "Upgrade", "websocket");
  add_line(head, "Connection", websocket ? "Upgrade" : "close");
  head.append("\r\n");
}

void forward_response(std::string& head, const http::ResponseHead& response, proto::Bytes buffer,
                      http::BodyFraming framing) {
  add_status_line(head, response, buffer);
  // Of a response without a body (to HEAD, 304) the length tells what a GET would have got.
  const bool keeps_length = framing.kind == http::Framing::kNone && response.status != 204;
  add_fields(head, response.fields, buffer,
             [&](std::string_view name) { return !keeps_length && is_content_length(name); });
  add_framing(head, framing);
  add_line(head, "Connection", "close");
  head.append("\r\n");
}

void forward_interim(std::string& head, const http::ResponseHead& response, proto::Bytes buffer) {
  add_status_line(head, response, buffer);
  add_fields(head, response.fields, buffer, is_content_length);
  head.append("\r\n");
}

void forward_switch(std::string& head, const http::ResponseHead& response, proto::Bytes buffer) {
  add_status_line(head, response, buffer);
  add_line(head, "Upgrade", "websocket");
  add_line(head, "Connection", "Upgrade");
  add_fields(head, response.fields, buffer, is_content_length);
  head.append("\r\n");
}

}  // namespace gateway
