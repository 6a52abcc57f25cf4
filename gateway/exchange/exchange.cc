#include "gateway/exchange/exchange.hh"

#include "gateway/exchange/heads.hh"
#include "gateway/shard/shard.hh"

namespace gateway {

Exchange::Exchange(Connection& connection)
    : connection_(connection),
      generation_(connection.shard().generation()),
      begun_(connection.shard().loop().now()),
      heads_(connection.frames().make<Heads>(&connection.frames())),
      grace_(*this, connection.shard().loop().timers()),
      request_line_(&connection.frames()),
      request_done_(connection.shard().loop().ready()),
      request_trailers_(&connection.frames()),
      response_trailers_(&connection.frames()) {}

Exchange::~Exchange() = default;

uring::Task<> Exchange::run() {
  const bool received = co_await receive_request();
  const bool asks_server = received && judge();
  if (asks_server) co_await proxy();
  if (connection_.has_tunnel()) co_return;  // whose the client is from there on
  unwatch_client();
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
  const bool server_is_stuck = upstream_ != nullptr && !request_whole_ && !response_begun_ &&
                               (upstream_->link().has_unsent() || upstream_->link().send_failed());
  connection_.end(server_is_stuck ? End{.reason = Reason::kResponseTimeout} : end);
}

void write_last_chunk(Link& to, std::string& scratch, std::string_view trailers,
                      const http::Head* head, Bytes buffer, const config::HeaderChanges& changes) {
  scratch.assign("0\r\n");
  if (!trailers.empty()) {
    const http::Fields none;
    forward_trailers(scratch, trailers, head != nullptr ? head->fields : none, buffer, changes);
  }
  scratch.append("\r\n");
  to.write(proto::as_bytes(scratch));
}

}  // namespace gateway
