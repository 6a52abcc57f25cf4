#include "gateway/connection.hh"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>

#include "gateway/exchange.hh"
#include "gateway/log/quoted.hh"
#include "gateway/reply.hh"
#include "gateway/shard.hh"

namespace gateway {

Connection::Connection(Shard& shard, int descriptor, tls::ServerContexts* contexts,
                       std::uint64_t id)
    : shard_(shard),
      contexts_(contexts),
      client_(shard.links()),
      deadline_(shard.loop().timers(), deadline_passed_),
      touched_(shard.loop().now()),
      id_(id),
      story_(story()) {
  client_.adopt(descriptor);
  learn_client_address();
}

Connection::~Connection() = default;

void Connection::start() {
  shard_.loop().ready().push(start_);
}

uring::Task<> Connection::story() {
  if (secure()) co_await shake_hands();
  if (!ended()) {
    exchange_ = std::make_unique<Exchange>(*this);
    co_await exchange_->run();
    end({});
    exchange_->finish();
  } else {
    shard_.log().debug("connection id={} client={}:{} end={} cause={}", id_, client_address_,
                       client_port_, policy_of(end_->reason).word, quoted(cause_of(*end_)));
  }
  co_await farewell();
  deadline_.disarm();
  shard_.loop().push_next_turn(forgotten_);
}

uring::Task<> Connection::shake_hands() {
  set_deadline(shard_.config().timeouts.tls_handshake, {.reason = Reason::kTlsTimeout});
  client_.secure(std::make_unique<tls::Session>(*contexts_));
  const bool done = co_await client_.handshake();
  if (!done) explain_tls_failure();
}

void Connection::explain_tls_failure() {
  const tls::Session& session = *client_.session();
  if (client_.end() == uring::LinkEnd::kTlsFailed && session.plain_http()) {
    end({.reason = Reason::kPlainHttpOnTls});
    client_.secure(nullptr);  // the answer goes in plain text, as the question came
  } else if (client_.end() == uring::LinkEnd::kTlsFailed) {
    tls_failure_ = session.error().text();
    end({.reason = Reason::kTlsFailed, .detail = tls_failure_});
  } else {
    end({.reason =
             client_.end() == uring::LinkEnd::kFailed ? Reason::kClientReset : Reason::kClientLeft,
         .error = client_.error_number(),
         .detail = "during the TLS handshake"});
  }
}

void Connection::end(End end) {
  if (end_) return;
  end_ = end;
  if (exchange_ && exchange_->stop_relay(end)) return;
  client_.abort();
  if (exchange_) exchange_->abort();
}

void Connection::stop() {
  if (exchange_ && exchange_->under_way() && !exchange_->is_websocket()) return;
  end({.reason = Reason::kStopping});
}

void Connection::cut() {
  cut_ = true;
  end({.reason = Reason::kStopping});
  client_.abort();
  if (exchange_) exchange_->abort();
}

void Connection::set_deadline(std::chrono::milliseconds limit, End end) {
  limit_ = limit;
  deadline_end_ = end;
  touch();
  deadline_.arm(touched_ + limit_);
}

void Connection::touch() {
  touched_ = shard_.loop().now();
}

void Connection::on_deadline() {
  const auto due = touched_ + limit_;
  if (shard_.loop().now() < due) {
    deadline_.arm(due);
  } else if (taking_leave_) {
    client_.abort();
    if (exchange_) exchange_->abort();
  } else {
    end(deadline_end_);
  }
}

uring::Task<> Connection::farewell() {
  taking_leave_ = true;
  using Ending = Link::Ending;
  Ending ending = Ending::kWhole;
  if (exchange_) {
    set_deadline(kLingerTime, {});
    co_await exchange_->close_upstream();
    if (exchange_->response_is_cut()) ending = Ending::kTruncated;
  }
  if (!cut_ && client_.is_open() && client_.end() != uring::LinkEnd::kFailed) {
    client_.clear_abort();
    const std::uint16_t status = status_of(*end_);
    if (status != 0 && (!exchange_ || exchange_->may_reply())) {
      const std::string_view sentence =
          end_->detail.empty() ? policy_of(end_->reason).text : end_->detail;
      const std::string reply =
          make_reply(status, sentence, exchange_ && exchange_->is_head_request());
      client_.write(proto::as_bytes(reply));
    }
    const bool client_is_gone = policy_of(end_->reason).party == Party::kClient && status == 0;
    set_deadline(client_is_gone ? kLingerTime : kFlushTime, {});
    if (exchange_ && exchange_->must_reset()) {
      co_await client_.drained();
      client_.reset_on_close();
    } else {
      client_.write_end(ending);
      co_await linger();
    }
  }
  co_await client_.close();
}

uring::Task<> Connection::linger() {
  co_await client_.drained();
  client_.forget_session();
  set_deadline(kLingerTime, {});
  const std::uint64_t start = client_.received_bytes();
  while (client_.received_bytes() - start < kLingerBytes) {
    const Bytes discarded = co_await client_.read_once(kLingerBytes);
    if (discarded.empty()) break;
  }
}

void Connection::learn_client_address() {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getpeername(client_.descriptor(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    // It has reset the connection already. No upstream is to get a request of nobody.
    return end({.reason = Reason::kClientReset, .error = errno});
  }
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& ip = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &ip.sin_addr, text, sizeof text);
    client_port_ = ntohs(ip.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& ip = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&ip.sin6_addr)) {
      inet_ntop(AF_INET, &ip.sin6_addr.s6_addr[12], text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &ip.sin6_addr, text, sizeof text);
    }
    client_port_ = ntohs(ip.sin6_port);
  }
  client_address_ = text;
}

void Connection::on_forgotten() {
  shard_.forget(*this);
}

}  // namespace gateway
