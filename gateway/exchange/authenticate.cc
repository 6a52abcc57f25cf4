// Between the judging of a request and its way to a server: whether its client may have that.
//
//   judge -> [token] -> [user and password] -> [a server that is asked: 2xx] -> dial
//               |                |                        |
//               v                v                        '-- any other answer is the client's
//            401, 403           401
//
// Whatever fails here refuses the request. Meanwhile nothing of the request's body is asked for,
// and the client's leaving ends it.
#include <chrono>

#include "gateway/exchange/exchange.hh"
#include "gateway/exchange/token_cache.hh"
#include "gateway/exchange/token_check.hh"
#include "gateway/link/link_end.hh"
#include "gateway/shard/shard.hh"
#include "proto/http/body.hh"

namespace gateway {
namespace {

constexpr std::chrono::seconds kPasswordTime{10};
constexpr unsigned kInterimsMax = 8;
// Of an answer that lets a request pass: nobody gets it.
constexpr std::size_t kDroppedBytesMax = 64 * 1024;
constexpr const char* kLate = "the server that is asked for permission did not answer in time";

std::int64_t seconds_since_1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::floor<std::chrono::seconds>(now).count();
}

}  // namespace

// True: the request may go on. Else it has its answer, or the connection has ended.
uring::Task<bool> Exchange::authenticate() {
  const config::Auth& auth = facts_.route->auth;
  if (auth.jwt && !take_token(*auth.jwt)) co_return false;
  if (auth.basic) {
    const bool is_right = co_await check_password(*auth.basic);
    if (!is_right) co_return false;
  }
  if (!auth.request) co_return true;
  const bool passes = co_await ask_permission();
  // What follows dials a server of its own, for the first time.
  dialler_.reset();
  resends_ = 0;
  answered_status_ = 0;
  server_failed_ = false;
  if (passes) server_ = {};
  co_return passes;
}

bool Exchange::take_token(const config::JwtAuth& demanded) {
  const Heads& heads = *facts_.heads;
  const std::int64_t now_s = seconds_since_1970();
  const auto token = find_token(heads.request, heads.request_buffer(), demanded);
  if (!token) return refuse_token(token.error());
  TokenCache& cache = connection().shard().tokens();
  const std::uint64_t generation = facts_.generation->number();
  std::expected<TokenGrant, TokenRefusal> grant;
  if (const TokenGrant* const known = cache.find(generation, demanded, *token, now_s)) {
    grant = *known;
  } else {
    grant = judge_token(*token, demanded, now_s);
    if (!grant) return refuse_token(grant.error());
    cache.keep(generation, demanded, *token, *grant, now_s);
  }
  facts_.identity = std::move(grant->headers);
  if (grant->ends_at_s) {
    // What lies beyond a year lies beyond any connection.
    const std::chrono::seconds left(
        std::min<std::int64_t>(*grant->ends_at_s - now_s, 366 * 24 * 3600));
    token_ends_ = connection().shard().loop().now() + left;
  }
  return true;
}

bool Exchange::refuse_token(const TokenRefusal& refusal) {
  challenge_ = refusal.challenge;
  connection().end({.reason = refusal.reason, .status = refusal.status, .detail = refusal.detail});
  return false;
}

// An unknown user's is compared, too, so that the time tells nothing of who is known.
uring::Task<bool> Exchange::check_password(const config::BasicAuth& demanded) {
  const Heads& heads = *facts_.heads;
  const auto shown = find_credentials(heads.request, heads.request_buffer(), demanded);
  if (!shown) {
    refuse_password(shown.error(), demanded);
    co_return false;
  }
  const PasswordDesk::Entry entry{shown->user, shown->password, shown->entry.hash};
  PasswordDesk& desk = connection().shard().passwords();
  bool is_right = shown->is_known && desk.remembers(entry);
  if (!is_right) {
    const bool equals = co_await compare_password(entry);
    is_right = equals && shown->is_known;
    if (is_right) desk.remember(entry);
  }
  if (connection().ended()) co_return false;
  if (!is_right) {
    refuse_password({401, "user and password are not right"}, demanded);
    co_return false;
  }
  if (!demanded.user_header.empty()) {
    facts_.identity.push_back({demanded.user_header, shown->user});
  }
  co_return true;
}

// False, too, where the connection has ended meanwhile.
uring::Task<bool> Exchange::compare_password(const PasswordDesk::Entry& entry) {
  PasswordDesk& desk = connection().shard().passwords();
  PasswordDesk::Wait wait(desk);
  if (!desk.ask(wait, entry)) {
    connection().end({.reason = Reason::kAuthBusy});
    co_return false;
  }
  watch_client_while_dialling();
  connection().set_deadline(kPasswordTime, Reason::kAuthTimeout);
  password_wait_ = &wait;
  co_await wait.over();
  password_wait_ = nullptr;
  co_return wait.was_right() && !connection().ended();
}

void Exchange::refuse_password(const PasswordRefusal& refusal, const config::BasicAuth& demanded) {
  challenge_ = basic_challenge(demanded);
  connection().end(
      {.reason = Reason::kUnauthorized, .status = refusal.status, .detail = refusal.detail});
}

uring::Task<bool> Exchange::ask_permission() {
  const config::RequestAuth& asked = *facts_.route->auth.request;
  UpstreamPool& pool = facts_.generation->pool(asked.pool);
  // Whichever it is: clients are stuck to the servers of their requests, not to those.
  const auto no_wish = [](const UpstreamPool&) { return ServerWish{}; };
  dialler_ = frames().make<Dialler>(connection(), *facts_.route, pool, no_wish, Purpose::kRequest);
  for (;;) {
    bool connected = take_kept();
    if (!connected) connected = co_await dial();
    if (!connected) co_return false;
    const Permission permission = co_await receive_permission(asked);
    switch (permission) {
      case Permission::kGranted:
        co_return true;
      case Permission::kRefused:
        co_await pass_refusal();
        co_return false;
      case Permission::kAskAgain:
        give_up_permission();
        ++resends_;
        break;
      case Permission::kFailed:
        if (facts_.upstream != nullptr) note_outcome(Outcome::kEnded);
        give_up_permission();
        co_return false;
    }
  }
}

uring::Task<Exchange::Permission> Exchange::receive_permission(const config::RequestAuth& asked) {
  send_question(asked);
  // What is asked for may be an upload, of which nothing is asked for yet.
  watch_client_while_dialling();
  connection().set_deadline(asked.timeout, Reason::kResponseTimeout, kLate);
  response_.expect();
  const http::ResponseHead& response = facts_.heads->response;
  for (unsigned interims = 0;; ++interims) {
    const ResponseSide::HeadIn head = co_await response_.receive_head();
    if (!head) {
      // On a kept connection it may be the rest of an earlier answer, which nobody has waited for.
      if (interims == 0 && may_ask_again()) co_return Permission::kAskAgain;
      connection().end({.reason = Reason::kBadResponse, .detail = head.error().reason});
      co_return Permission::kFailed;
    }
    if (*head == http::HeadState::kMore) co_return take_end_of_permission();
    // RFC 9110 section 15.5.9: a server's farewell to an idle connection, which met the question.
    const bool is_farewell = response.status == 408 && response.connection.close;
    if (is_farewell && interims == 0 && may_ask_again()) co_return Permission::kAskAgain;
    if (response.status >= 200) break;
    if (response.status == 101 || interims == kInterimsMax) {
      connection().end({.reason = Reason::kBadResponse, .detail = "no final answer"});
      co_return Permission::kFailed;
    }
    facts_.heads->response_bytes.erase(0, response.bytes);
  }
  server_->note_version(response.minor_version);
  if (connection().ended()) co_return Permission::kFailed;
  note_status(response);
  if (!is_counted_) note_answer(facts_.upstream->slot());
  if (response.status >= 300) co_return Permission::kRefused;
  note_permission(asked);
  const bool is_whole = co_await drop_permission_body();
  co_return is_whole ? Permission::kGranted : Permission::kFailed;
}

void Exchange::send_question(const config::RequestAuth& asked) {
  std::pmr::string target(&frames());
  (void)resolve_target(target, facts_.heads->request, facts_.heads->request_buffer());
  const AuthQuestion question{.host = asked.host, .path = asked.path, .target = target};
  std::string& head = connection().shard().scratch();
  head.clear();
  request_.write_head(head, &question);
  facts_.upstream->link().write(proto::as_bytes(head));
}

// Over a new connection: what a kept one says may be of what was before.
bool Exchange::may_ask_again() const {
  return facts_.upstream->reused() && resends_ < kResendsMax && !connection().ended();
}

// Before an answer.
Exchange::Permission Exchange::take_end_of_permission() {
  Link& upstream = facts_.upstream->link();
  if (upstream.end() == uring::LinkEnd::kAborted) return Permission::kFailed;
  // It has closed a kept connection, which says nothing of itself.
  if (facts_.heads->response_bytes.empty() && may_ask_again()) return Permission::kAskAgain;
  connection().end(end_of_link(upstream, Party::kUpstream, connection().detail()));
  return Permission::kFailed;
}

void Exchange::note_permission(const config::RequestAuth& asked) {
  const Heads& heads = *facts_.heads;
  for (const std::string& name : asked.copy) {
    heads.response.fields.for_each(heads.response_buffer(), name, [&](std::string_view value) {
      facts_.identity.push_back({name, std::string(value)});
    });
  }
}

// False: it did not come to its end. Of one that is too long the rest is left where it is.
uring::Task<bool> Exchange::drop_permission_body() {
  Link& upstream = facts_.upstream->link();
  const http::ResponseHead& response = facts_.heads->response;
  const http::BodyFraming framing = http::response_framing(http::Method::kGet, response);
  http::BodyDecoder body(framing, http::ChunkedDecoder::Blanks::kBehindSizes);
  Bytes bytes = facts_.heads->behind_response();
  std::size_t dropped = bytes.size();
  while (dropped <= kDroppedBytesMax) {
    while (!bytes.empty() && !body.done()) {
      const auto piece = body.next(bytes);
      if (!piece) {
        connection().end({.reason = Reason::kBadResponse, .detail = piece.error().reason});
        give_up_permission();
        co_return false;
      }
      bytes = bytes.subspan(piece->consumed);
    }
    if (body.done()) break;
    bytes = co_await upstream.read_once(Upstreams::kHeadReadBytes);
    if (bytes.empty()) break;
    dropped += bytes.size();
  }
  const bool has_ended = bytes.empty() && !body.done();
  const bool cut = has_ended && !(upstream.end() == uring::LinkEnd::kEndOfStream &&
                                  body.complete_at_end_of_stream());
  if (cut && !connection().ended()) {
    connection().end(end_of_link(upstream, Party::kUpstream, connection().detail()));
  }
  // Some servers send the body that a 204 speaks of: it must not be met as the next answer.
  const bool doubtful = framing.kind == http::Framing::kNone &&
                        (response.chunked || response.content_length.value_or(0) > 0);
  const bool reusable = body.done() && bytes.empty() && http::keeps_alive(response) && !doubtful &&
                        framing.kind != http::Framing::kUntilClose && !connection().ended();
  upstream.release();
  if (reusable && !upstream.has_unsent() && upstream.end() == uring::LinkEnd::kNone) {
    UpstreamConnection& kept = *std::exchange(facts_.upstream, nullptr);
    connection().shard().upstreams().keep(kept, response.keep_alive_seconds,
                                          Upstreams::Reuse::kAtOnce);
  } else {
    give_up_permission();
  }
  co_return !connection().ended();
}

void Exchange::give_up_permission() {
  if (facts_.upstream == nullptr) return;
  UpstreamConnection& upstream = *std::exchange(facts_.upstream, nullptr);
  connection().shard().upstreams().close(upstream, Farewell::kNone);
}

// Its answer is the client's, as a server's would be.
uring::Task<> Exchange::pass_refusal() {
  Heads& heads = *facts_.heads;
  // Whether all of the request is there decides whether the next one may follow.
  (void)request_.ends_in_input();
  // It was asked with GET: of a body that came along nobody who has asked with HEAD gets anything.
  const bool head_only = facts_.method == http::Method::kHead;
  if (head_only) heads.response_bytes.resize(heads.response.bytes);
  // That server may not set the cookie of the one that the client would get.
  const auto& sticky = config().pools[facts_.route->pool].balance.sticky;
  if (sticky) facts_.sticky.name = sticky->cookie;
  // Behind a refused upgrade the client may have gone on in the other protocol.
  begin_response(!heads.request.connection.upgrade);
  if (!response_.finish_at_once()) co_await response_.pump();
  if (head_only || connection().ended()) {
    give_up_permission();
  } else {
    release_upstream();
  }
}

}  // namespace gateway
