#include "gateway/exchange/judge.hh"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "gateway/config/redirect.hh"
#include "gateway/rewrite/forward.hh"
#include "gateway/rewrite/offers.hh"
#include "proto/http/body.hh"
#include "proto/http/target.hh"

namespace gateway {
namespace {

using Refusal = Judged::Refusal;
using Verdict = Judged::Verdict;

constexpr std::string_view kNoHostToRedirectTo = "no host to redirect to";

Refusal bad_request(std::uint16_t status, std::string_view why) {
  return {.reason = Reason::kBadRequest, .status = status, .detail = why};
}

// Each step gives a refusal, or nothing where the next one's turn has come.
class Judge {
 public:
  Judge(const Question& question, const config::Config& config, std::pmr::string& target,
        std::string& scratch)
      : head_(question.head),
        question_(question),
        config_(config),
        target_(target),
        scratch_(scratch) {}

  Verdict verdict();
  const config::Route* route() const { return route_; }

 private:
  using Step = std::optional<Refusal>;
  Step resolve();
  Step find_route();
  Step judge_name(std::string_view host) const;
  Step judge_method() const;
  Step judge_fields() const;
  Step judge_upgrade();
  Step judge_other_upgrade();
  Step judge_origin() const;
  Step judge_subprotocols(const ws::FieldLines& offers) const;
  Verdict redirect_to_https(std::uint16_t port) const;
  Verdict serve() const;

  void strip_prefix();
  bool is_last_hop() const;
  bool has_body() const { return !http::BodyDecoder(http::request_framing(head_)).done(); }
  std::string_view text(http::Slice slice) const { return slice.in(question_.buffer); }
  std::string_view path() const { return std::string_view(target_).substr(0, path_bytes_); }

  const http::RequestHead& head_;
  const Question& question_;
  const config::Config& config_;
  std::pmr::string& target_;
  std::size_t path_bytes_ = 0;  // of the target
  std::string& scratch_;
  const config::Route* route_ = nullptr;
  std::optional<std::string_view> key_;  // of a WebSocket's handshake
  std::string_view protocol_;            // of another upgrade; empty: none
};

Verdict Judge::verdict() {
  if (head_.method == http::Method::kConnect) {
    return bad_request(405, "CONNECT is not for a reverse proxy");
  }
  if (const Step refusal = resolve()) return *refusal;
  if (const auto port = question_.listener.redirect_port) {
    if (const Step refusal = judge_method()) return *refusal;
    return redirect_to_https(*port);
  }
  if (const Step refusal = find_route()) return *refusal;
  if (const Step refusal = judge_method()) return *refusal;
  if (const Step refusal = judge_fields()) return *refusal;
  if (const Step refusal = judge_upgrade()) return *refusal;
  return serve();
}

Judge::Step Judge::resolve() {
  const auto path_bytes = resolve_target(target_, head_, question_.buffer);
  if (!path_bytes) return bad_request(400, "the path cannot be resolved");
  path_bytes_ = *path_bytes;
  return {};
}

Judge::Step Judge::find_route() {
  std::array<char, http::kHostMax> host_storage;
  const std::string_view authority = text(head_.authority);
  const auto host = http::normalise_host(authority, host_storage);
  if (!authority.empty() && !host) return bad_request(400, "the host is invalid");
  if (const Step refusal = judge_name(host.value_or(""))) return refusal;
  scratch_.resize(path_bytes_);
  // What goes on is judged, not what came: so no server sees another path than this one.
  const auto normal_path = http::normalise_path(path(), scratch_);
  if (!normal_path) return bad_request(400, "the path cannot be resolved");
  route_ = config_.match(host.value_or(""), *normal_path);
  if (route_ == nullptr) return Refusal{.reason = Reason::kNoRoute};
  if (route_->escaped_slashes == config::EscapedSlashes::refuse &&
      http::has_escaped_slash(path())) {
    return bad_request(400, "the path has an escaped slash or a backslash, which is refused here");
  }
  if (route_->strip_prefix) strip_prefix();
  return {};
}

// Who has named no host in the handshake is at all that the listener itself has always spoken for.
bool is_named(const Question& question, std::string_view host) {
  if (!question.server_name.empty()) return http::equals_ignoring_case(host, question.server_name);
  return !question.had_other_names && question.listener.tls->policy_names.find(host) == 0;
}

// RFC 9110 section 7.4: what asks clients for more than this one has shown is not to be had by way
// of another name.
Judge::Step Judge::judge_name(std::string_view host) const {
  const auto& tls = question_.listener.tls;
  if (!tls || (tls->policies.empty() && !question_.has_shown_less)) return {};
  const auto& let_in_by = tls->clients_for(question_.server_name);
  const auto& wanted = tls->clients_for(host);
  const bool is_same = question_.has_shown_less
                           ? !wanted || is_named(question_, host)
                           : &let_in_by == &wanted || config::covers(let_in_by, wanted);
  if (is_same) return {};
  return bad_request(421,
                     "this host asks for another client certificate than the server name of "
                     "the TLS handshake");
}

void Judge::strip_prefix() {
  const std::size_t rest_bytes = http::without_prefix(path(), route_->path).size();
  target_.erase(0, path_bytes_ - rest_bytes);
  if (!target_.starts_with('/')) target_.insert(0, 1, '/');
  path_bytes_ = std::max<std::size_t>(rest_bytes, 1);
}

// TRACE sends back what the client did not say itself, so it has to be asked for.
Judge::Step Judge::judge_method() const {
  const bool listed = route_ != nullptr && !route_->methods.empty();
  const bool allowed =
      listed ? std::ranges::find(route_->methods, text(head_.method_text)) != route_->methods.end()
             : head_.method != http::Method::kTrace;
  if (!allowed) return Refusal{.reason = Reason::kMethodNotAllowed};
  return {};
}

Judge::Step Judge::judge_fields() const {
  // RFC 9110 section 7.4: what is asked for over TLS is not given out in plain text, unless a proxy
  // of ours has ended the TLS.
  if (head_.form == http::TargetForm::kAbsolute && !question_.secure && !question_.peer_trusted) {
    const char behind_http = text(head_.target)[std::string_view("http").size()];
    if (behind_http != ':') {
      return bad_request(421, "https was asked for on a port that has no TLS");
    }
  }
  // RFC 9110 section 10.1.1; with HTTP/1.0 it means nothing.
  const auto expectation = head_.fields.find(question_.buffer, "Expect");
  if (expectation && head_.minor_version >= 1 &&
      !http::equals_ignoring_case(*expectation, "100-continue")) {
    return bad_request(417, "the expectation is not 100-continue");
  }
  if (head_.method == http::Method::kTrace && has_body()) {
    return bad_request(400, "TRACE has no body");  // RFC 9110 section 9.3.8
  }
  const std::uint64_t most = route_->limits.body_bytes;
  if (most > 0 && head_.content_length.value_or(0) > most) {
    return Refusal{.reason = Reason::kBodyTooLarge};
  }
  return {};
}

Judge::Step Judge::judge_upgrade() {
  if (!head_.connection.upgrade) return {};
  const ws::HandshakeFields fields = handshake_fields(head_, question_.buffer);
  const ws::RequestVerdict verdict =
      ws::judge_request(text(head_.method_text), head_.minor_version >= 1, fields);
  if (verdict.kind == ws::RequestVerdict::Kind::kRefuse) {
    return Refusal{.reason = Reason::kUpgradeRefused,
                   .status = static_cast<std::uint16_t>(verdict.status),
                   .detail = verdict.reason};
  }
  if (verdict.kind == ws::RequestVerdict::Kind::kNotAsked) return judge_other_upgrade();
  if (has_body()) {
    // Its bytes would be taken for frames.
    return Refusal{.reason = Reason::kUpgradeRefused,
                   .detail = "a WebSocket handshake must not have a body"};
  }
  key_ = verdict.key;
  const bool asks_server = !route_->answer && !route_->redirect;
  if (!asks_server) return {};
  if (const Step refusal = judge_origin()) return refusal;
  return judge_subprotocols(fields.protocols);
}

// Of what the client would like to speak instead (RFC 9110 section 7.8) the first that the route
// lets pass. What it does not is left out, as of any hop.
Judge::Step Judge::judge_other_upgrade() {
  const bool asks_server = !route_->answer && !route_->redirect;
  if (head_.minor_version == 0 || !asks_server) return {};
  const auto passes = [this](std::string_view protocol) {
    return std::ranges::any_of(route_->upgrades, [&](const std::string& one) {
      return http::equals_ignoring_case(one, protocol);
    });
  };
  head_.fields.for_each(question_.buffer, "Upgrade", [&](std::string_view line) {
    http::ListReader protocols(line);
    while (const auto protocol = protocols.next()) {
      if (protocol_.empty() && passes(*protocol)) protocol_ = *protocol;
    }
  });
  if (protocol_.empty() || !has_body()) return {};
  // Where it ends would be a matter of opinion.
  return Refusal{.reason = Reason::kUpgradeRefused, .detail = "an upgrade must not have a body"};
}

Judge::Step Judge::judge_origin() const {
  const config::Origins& allowed = route_->websocket.origins;
  if (allowed.empty()) return {};
  const auto origin = head_.fields.find(question_.buffer, "Origin");
  const auto refuse = [&](std::string_view why) {
    return Refusal{.reason = Reason::kOriginRefused, .detail = why, .said = origin.value_or("")};
  };
  if (head_.fields.count(question_.buffer, "Origin") > 1) {
    return refuse("there must be one Origin field, not several");
  }
  if (allowed.contain(origin)) return {};
  return refuse(origin ? "pages of this origin may not open WebSockets here"
                       : "without an Origin field no WebSocket may be opened here");
}

// RFC 6455 section 4.2.2 item 5: without any of them a server would speak a protocol of its own
// choice, and browsers would end that.
Judge::Step Judge::judge_subprotocols(const ws::FieldLines& offers) const {
  const ws::OfferPolicy policy = offer_policy(route_->websocket);
  std::string_view refused;
  for (const std::string_view line : offers.kept()) {
    http::ListReader names(line);
    while (const auto name = names.next()) {
      if (name->empty()) continue;
      if (policy.passes_subprotocol(*name)) return {};
      refused = line;
    }
  }
  if (refused.empty()) return {};
  return Refusal{.reason = Reason::kSubprotocolRefused,
                 .detail = "none of these subprotocols is allowed here",
                 .said = refused};
}

Verdict Judge::redirect_to_https(std::uint16_t port) const {
  const auto authority = http::parse_authority(text(head_.authority));
  if (!authority) return bad_request(400, kNoHostToRedirectTo);
  std::string location = "https://" + std::string(authority->host);
  if (port != 443) location += ":" + std::to_string(port);
  location += target_;
  return Judged::Redirect{.status = 308, .location = std::move(location)};
}

// It may be served: by whom?
Verdict Judge::serve() const {
  if (route_->redirect) {
    auto location = config::redirect_location(route_->redirect->to, text(head_.authority), target_);
    if (!location) return bad_request(400, kNoHostToRedirectTo);
    return Judged::Redirect{.status = route_->redirect->status, .location = std::move(*location)};
  }
  if (route_->answer) return Judged::Answer{*route_->answer};
  if (is_last_hop()) return Judged::LastHop{};
  if (key_) return Judged::Tunnel{*key_};
  if (!protocol_.empty()) return Judged::Opaque{protocol_};
  return Judged::Proxy{};
}

bool Judge::is_last_hop() const {
  return (head_.method == http::Method::kOptions || head_.method == http::Method::kTrace) &&
         head_.fields.find(question_.buffer, "Max-Forwards") == "0";
}

}  // namespace

Judged judge(const Question& question, const config::Config& config, std::pmr::string& target,
             std::string& scratch) {
  Judge judge(question, config, target, scratch);
  Verdict verdict = judge.verdict();
  return {.route = judge.route(), .verdict = std::move(verdict)};
}

ws::HandshakeFields handshake_fields(const http::Head& head, proto::Bytes buffer) {
  ws::HandshakeFields fields;
  for (const http::Field& field : head.fields.all()) {
    fields.add(field.name.in(buffer), field.value.in(buffer));
  }
  return fields;
}

}  // namespace gateway
