#include "gateway/exchange/exchange.hh"

#include "gateway/shard/shard.hh"

namespace gateway {

Exchange::Exchange(Connection& connection)
    : facts_(connection, connection.shard().generation()),
      begun_(connection.shard().loop().now()),
      client_(connection, facts_.config()),
      presence_(connection, client_),
      response_(facts_, client_),
      request_(facts_, client_, presence_, response_) {}

uring::Task<> Exchange::run() {
  connection().set_deadline(connection().time_to_ask(config().timeouts.request_header),
                            Reason::kRequestTimeout);
  Heads& heads = *facts_.heads;
  ClientStream::HeadIn head = client_.take_head(heads.request, heads.request_bytes);
  const bool is_in_pieces = head && *head == http::HeadState::kMore;
  if (is_in_pieces) head = co_await client_.receive_head(heads.request, heads.request_bytes);
  bool asks_server = take_head(head);
  if (asks_server) {
    const Judged judged = judge();
    bool passes = admit(judged);
    if (passes && is_guarded(judged)) {
      const bool is_authentic = co_await authenticate();
      passes = is_authentic;
    }
    asks_server = passes && follow(judged);
  }
  if (asks_server) co_await proxy();
  if (connection().has_tunnel()) co_return;  // whose the client is from there on
  presence_.unwatch();
  settle();
}

void Exchange::abort() {
  if (dialler_ && dialler_->dialling()) dialler_->abort();
  if (facts_.upstream != nullptr) facts_.upstream->link().abort();
  if (password_wait_ != nullptr) password_wait_->give_up();
}

void Exchange::on_deadline(const End& end) {
  if (dialler_ && dialler_->dialling()) return dialler_->time_over();
  if (response_.give_client_time()) return;
  // An upload that stands still: the client's fault, unless the server does not take what is there.
  const bool is_servers_fault = !response_.is_held() && request_.is_stuck();
  connection().end(is_servers_fault ? End{.reason = Reason::kResponseTimeout} : end);
}

}  // namespace gateway
