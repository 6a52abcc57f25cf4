#include "gateway/exchange/exchange.hh"

#include "gateway/exchange/heads.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

Exchange::Exchange(Connection& connection)
    : connection_(connection),
      generation_(connection.shard().generation()),
      begun_(connection.shard().loop().now()),
      heads_(connection.frames().make<Heads>(&connection.frames())),
      client_(connection, config()),
      presence_(connection, client_),
      request_line_(&connection.frames()),
      request_done_(connection.shard().loop().ready()),
      request_trailers_(&connection.frames()),
      response_trailers_(&connection.frames()) {}

Exchange::~Exchange() = default;

uring::Task<> Exchange::run() {
  connection_.set_deadline(config().timeouts.request_header, {.reason = Reason::kRequestTimeout});
  const auto head = co_await client_.receive_head(heads_->request, heads_->request_bytes);
  const bool asks_server = take_head(head) && judge();
  if (asks_server) co_await proxy();
  if (connection_.has_tunnel()) co_return;  // whose the client is from there on
  presence_.unwatch();
  settle();
}

void Exchange::abort() {
  if (dialler_ && dialler_->dialling()) dialler_->abort();
  if (upstream_ != nullptr) upstream_->link().abort();
}

void Exchange::on_deadline(const End& end) {
  if (dialler_ && dialler_->dialling()) return dialler_->time_over();
  if (hold_ == Hold::kByClient) {
    hold_ = Hold::kTooLong;
    return connection_.set_deadline(
        Connection::kFlushTime, {.reason = Reason::kIdle, .detail = "the client takes no answers"});
  }
  if (hold_ == Hold::kTooLong) return connection_.end(end);
  // An upload that stands still: the client's fault, unless the server does not take what is there.
  const bool server_is_stuck = upstream_ != nullptr && !request_whole_ && !client_.has_begun() &&
                               (upstream_->link().has_unsent() || upstream_->link().send_failed());
  connection_.end(server_is_stuck ? End{.reason = Reason::kResponseTimeout} : end);
}

}  // namespace gateway
