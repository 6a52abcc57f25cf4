// What a connection begins with, before its first request: a PROXY header and a TLS handshake,
// where its listener has such, and what is said where that fails.
#include "gateway/client/connection.hh"
#include "gateway/exchange/reply.hh"
#include "gateway/shard/accounting.hh"
#include "gateway/shard/shard.hh"
#include "proto/proxy/reader.hh"

namespace gateway {

bool Connection::begins_with_proxy_header() const {
  const auto& headers = listener().proxy_headers;
  return headers && !ended() && headers->from.contain(peer_.address());
}

// Gives what came behind it where that is TLS: to be read at once. A request waits in the input.
uring::Task<Bytes> Connection::receive_proxy_header() {
  await_first(listener().proxy_headers->timeout, Reason::kProxyHeaderTimeout);
  proxy::HeaderReader header;
  Bytes behind;
  while (!header.done()) {
    const Bytes received = co_await client_.read_once(kHeadReadBytes);
    if (received.empty()) {
      end(how_client_left());
      co_return Bytes();
    }
    const auto taken = header.feed(received);
    if (!taken) {
      end({.reason = Reason::kBadProxyHeader, .detail = taken.error()});
      co_return Bytes();
    }
    behind = received.subspan(*taken);
  }
  if (header.endpoints().family != proxy::Family::kNone) {
    peer_.learn(header.endpoints());
    peer_trusted_ = shard_.config().trusted_proxies.contain(peer_.address());
  }
  shard_.judge_client(*this, entrance_);
  if (ended()) co_return Bytes();
  if (secure()) co_return behind;
  input_.append(behind);
  client_.release();
  co_return Bytes();
}

uring::Task<> Connection::shake_hands(Bytes behind_proxy_header) {
  // It may have waited for long, or behind its PROXY header.
  renew_entrance();
  await_first(shard_.config().timeouts.tls_handshake, Reason::kTlsTimeout);
  client_.secure(std::make_unique<tls::Session>(*entrance_.contexts()), behind_proxy_header);
  const bool done = co_await client_.handshake();
  if (!done) explain_tls_failure();
  count_handshake(*this, done, touched_);
}

void Connection::explain_tls_failure() {
  if (ended()) return;
  const tls::Session& session = *client_.session();
  if (client_.end() == uring::LinkEnd::kTlsFailed && session.plain_http()) {
    end({.reason = Reason::kPlainHttpOnTls});
    client_.forget_session();  // the answer goes in plain text, as the question came
  } else if (client_.end() == uring::LinkEnd::kTlsFailed) {
    end({.reason = Reason::kTlsFailed, .detail = keep_detail(session.error().text())});
  } else if (client_.was_refused()) {
    shard_.note_refused(limits::Cause::kHandshakes);
    turn_away(
        {.reason = Reason::kAtCapacity, .detail = "too many TLS handshakes wait for their turn"});
  } else {
    end({.reason =
             client_.end() == uring::LinkEnd::kFailed ? Reason::kClientReset : Reason::kClientLeft,
         .error = client_.error_number(),
         .detail = "during the TLS handshake"});
  }
}

void Connection::refuse_plain_http() {
  std::string reply;
  write_reply(reply, {.status = status_of(how_ended()),
                      .sentence = policy_of(how_ended().reason).text,
                      .persistence = Persistence::kClose});
  client_.write(proto::as_bytes(reply));
}

}  // namespace gateway
