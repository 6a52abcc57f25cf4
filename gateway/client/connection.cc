#include "gateway/client/connection.hh"

#include <algorithm>

#include "gateway/exchange/exchange.hh"
#include "gateway/link/let_in.hh"
#include "gateway/link/link_end.hh"
#include "gateway/log/line.hh"
#include "gateway/shard/admission.hh"
#include "gateway/shard/shard.hh"
#include "gateway/websocket/tunnel.hh"

namespace gateway {

Connection::Connection(Shard& shard, int descriptor, Entrance entrance, std::uint64_t id)
    : shard_(shard),
      entrance_(std::move(entrance)),
      secure_(entrance_.contexts() != nullptr),
      client_(shard.links(), uring::LinkSide::kClients),
      input_(&shard.loop().frames()),
      touched_(shard.loop().now()),
      begun_(touched_),
      id_(id),
      story_(story()) {
  client_.adopt(descriptor);
  learn_client_address();
}

Connection::~Connection() = default;

void Connection::start() {
  shard_.loop().ready().push(next_part_);
}

// In two parts, with a tunnel between them: so an open WebSocket holds no coroutine's frame.
uring::Task<> Connection::story() {
  co_await serve_http();
  if (has_tunnel()) {
    shard_.loop().ready().push(next_part_);
  } else {
    co_await farewell();
  }
}

uring::Task<> Connection::end_story() {
  co_await shard_.loop().ending();
  tunnel_->settle();
  co_await farewell();
}

void Connection::note_tunnel_finished() {
  shard_.loop().ready().push(next_part_);
}

void Connection::on_next_part() {
  if (gone_) return shard_.forget(*this);
  if (has_tunnel()) {
    CHECK(story_.done(), "whoever opens a tunnel waits for nothing more");
    story_ = tunnel_->has_finished() ? end_story() : uring::Task<>();
  }
  if (!story_.done()) story_.start();
}

// Until the last request is answered, or there is a tunnel.
uring::Task<> Connection::serve_http() {
  Bytes behind_proxy_header;
  if (begins_with_proxy_header()) behind_proxy_header = co_await receive_proxy_header();
  if (secure() && !ended()) co_await shake_hands(behind_proxy_header);
  bool open = !ended();
  if (!open) log_no_request();
  while (open) {
    if (client_.crowded()) co_await let_client_take();
    const bool has_to_wait = begin_wait_for_request();
    if (has_to_wait) {
      const Bytes received = co_await client_.read_once(kHeadReadBytes);
      take_first_bytes(received);
    }
    if (ended()) {
      log_no_request();
      break;
    }
    ++requests_;
    renew_entrance();
    exchange_ = frames().make<Exchange>(*this);
    co_await exchange_->run();
    open = !has_tunnel() && exchange_->keeps_client();
    if (!open) break;
    exchange_.reset();
    forget_end();
    client_.clear_abort();
  }
  if (has_tunnel()) exchange_.reset();
}

void Connection::open_tunnel(TunnelOpening opening, Bytes behind_response) {
  // Such as what an attempt to reach a server has failed of.
  if (!ended() && refused() == nullptr) end_facts_.reset();
  tunnel_ = frames().make<Tunnel>(*this, std::move(opening));
  tunnel_->start(input_.bytes(), behind_response);
  input_.reset();
  deadline_.reset();
  shard_.closings().note_opened(*tunnel_);
}

uring::Task<> Connection::let_client_take() {
  const LetIn let_in(client_, input_);
  set_deadline(kFlushTime, Reason::kIdle, "the client takes no answers");
  co_await client_.drained();
}

// False: the first bytes of the next request are there, or the connection has ended.
bool Connection::begin_wait_for_request() {
  if (ended() || !input_.empty()) return false;
  const config::Timeouts& timeouts = shard_.config().timeouts;
  if (requests_ == 0) {
    await_first(timeouts.request_header, Reason::kRequestTimeout);
  } else if (stopping_) {
    end({.reason = Reason::kStopping});
  } else {
    set_deadline(timeouts.keep_alive_idle, Reason::kIdle);
  }
  return !ended();
}

// A client that goes, or waits too long, between two requests has done nothing wrong.
void Connection::take_first_bytes(Bytes received) {
  if (received.empty()) {
    const End left = how_client_left();
    // Between two requests nothing can be missing.
    return end(left.reason == Reason::kClientTruncated ? End{.reason = Reason::kClientLeft} : left);
  }
  input_.append(received);
  client_.release();
}

// Behind a request an ending without another one is what is expected: of interest at debug alone.
// Before the first one somebody may look for it, but strangers can cause it at will.
void Connection::log_no_request() {
  const EndPolicy& policy = policy_of(how_ended().reason);
  LogLevel level = LogLevel::debug;
  if (requests_ == 0) {
    std::string& kind = shard_.scratch();
    kind.assign("no request: ").append(policy.word);
    if (shard_.may_log(LogLevel::info, kind)) level = LogLevel::info;
  }
  const tls::Session* const session = client_.session();
  LogLine line(shard_.log(), level, "connection");
  if (!line.is_wanted()) return;
  line.number("id", id_)
      .word("client", fmt::format("{}:{}", client_address().text(), client_port()))
      .number("requests", requests_)
      .quoted("server_name", session != nullptr ? session->server_name() : "")
      .word("end", policy.word)
      .word("by", name_of(policy.party))
      .quoted("cause", cause_of(how_ended()))
      .write();
}

End Connection::how_client_left() {
  return end_of_link(client_, Party::kClient, detail());
}

void Connection::turn_away(const End& why) {
  turned_away_ = true;
  end(why);
}

void Connection::end(End end) {
  if (tunnel_ && tunnel_->stop(end)) return;
  if (ended_) return;
  note_end(end);
  client_.abort();
  if (exchange_) exchange_->abort();
  if (tunnel_) tunnel_->abort();
}

std::chrono::milliseconds Connection::time_to_ask(std::chrono::milliseconds usual) const {
  if (refused() == nullptr) return usual;
  return std::min<std::chrono::milliseconds>(usual, Admission::kToldTime);
}

// Its first request, or the TLS handshake before that: whoever was let in is served, unless he says
// nothing.
void Connection::await_first(std::chrono::milliseconds limit, Reason reason) {
  limit = time_to_ask(limit);
  if (stopping_ && shard_.last_chance() < limit) {
    set_deadline(shard_.last_chance(), Reason::kStopping);
  } else {
    set_deadline(limit, reason);
  }
}

void Connection::stop() {
  stopping_ = true;
  if (tunnel_) return;
  const bool awaits_first = exchange_ ? requests_ == 1 && !exchange_->under_way() : requests_ == 0;
  if (awaits_first && !ended()) {
    return set_deadline(shard_.last_chance(), Reason::kStopping);
  }
  if (exchange_ && exchange_->under_way()) return;
  end({.reason = Reason::kStopping});
}

Connection::Loss Connection::cut(const End& end) {
  if (cut_) return Loss::kNothing;
  const Loss loss = to_lose();
  cut_ = true;
  this->end(end);
  client_.abort();
  if (exchange_) exchange_->abort();
  if (tunnel_) tunnel_->abort();
  return loss;
}

Connection::Loss Connection::to_lose() const {
  const bool is_under_way = tunnel_ != nullptr || (exchange_ && exchange_->under_way());
  if (is_under_way && !taking_leave_) return Loss::kUnderWay;
  return owes_bytes() ? Loss::kLastBytes : Loss::kNothing;
}

void Connection::set_deadline(std::chrono::milliseconds limit, Reason reason, const char* detail) {
  deadline().limit = limit;
  deadline_->reason = reason;
  deadline_->detail = detail;
  touch();
  deadline_->timer.arm(touched_ + limit);
}

Connection::Deadline& Connection::deadline() {
  if (!deadline_) deadline_ = frames().make<Deadline>(*this, shard_.loop().timers());
  return *deadline_;
}

void Connection::touch() {
  touched_ = shard_.loop().now();
}

void Connection::on_deadline() {
  const auto due = touched_ + deadline_->limit;
  if (shard_.loop().now() < due) {
    deadline_->timer.arm(due);
  } else if (taking_leave_) {
    if (owes_bytes() && !cut_) {
      cut_ = true;
      shard_.note_cut(*this, Loss::kLastBytes);
    }
    client_.abort();
  } else {
    const End end = {.reason = deadline_->reason, .detail = deadline_->detail};
    exchange_ ? exchange_->on_deadline(end) : this->end(end);
  }
}

Farewell Connection::farewell_to_client() const {
  if (tunnel_) return tunnel_->farewell_to_client();
  return exchange_ ? exchange_->farewell_to_client() : Farewell::kPolite;
}

uring::Task<> Connection::farewell() {
  taking_leave_ = true;
  const Farewell farewell = farewell_to_client();
  const auto lacks_end = [&] {
    return farewell == Farewell::kWholeOrReset && client_.has_unsent();
  };
  const bool is_cut_short = cut_ && (farewell == Farewell::kReset || lacks_end());
  if ((turned_away_ || is_cut_short) && client_.is_open()) {
    client_.reset_on_close();
  } else if (!cut_ && client_.is_open() && client_.end() != uring::LinkEnd::kFailed) {
    client_.clear_abort();
    client_.drop_input();
    if (ended() && how_ended().reason == Reason::kPlainHttpOnTls) refuse_plain_http();
    set_deadline(kFlushTime, Reason::kDone);
    if (farewell == Farewell::kReset) {
      co_await client_.drained();
      client_.reset_on_close();
    } else {
      client_.write_end(farewell == Farewell::kTruncated ? Link::Ending::kTruncated
                                                         : Link::Ending::kWhole);
      co_await linger();
      if (lacks_end()) client_.reset_on_close();
    }
  }
  co_await client_.close();
  clear_deadline();
  gone_ = true;
  shard_.loop().push_next_turn(next_part_);
}

uring::Task<> Connection::linger() {
  co_await client_.drained();
  client_.forget_session();
  set_deadline(kLingerTime, Reason::kDone);
  const std::uint64_t start = client_.received_bytes();
  while (client_.received_bytes() - start < kLingerBytes) {
    const Bytes discarded = co_await client_.read_once(kLingerBytes);
    if (discarded.empty()) break;
  }
}

// What a newer generation says of its listener holds for the next request, too.
void Connection::renew_entrance() {
  const uring::Held<ShardGeneration>& newest = shard_.generation();
  if (entrance_.generation.get() == newest.get()) return;
  const auto& listeners = newest->config().listeners;
  const auto now = std::ranges::find(listeners, listener().address, &config::Listener::address);
  // One that is gone stays as it was; so does one that speaks another protocol now.
  if (now == listeners.end() || now->tls.has_value() != secure_) return;
  const tls::Session* const session = client_.session();
  if (now->tls && session != nullptr) {
    const std::string_view name = session->server_name();
    const auto& asked = listener().tls->clients_for(name);
    if (!config::covers(asked, now->tls->clients_for(name))) has_shown_less_ = true;
    const bool same_names =
        std::ranges::equal(listener().tls->policies, now->tls->policies, {},
                           &config::NamePolicy::names, &config::NamePolicy::names);
    if (!same_names) had_other_names_ = true;
  }
  entrance_ = {newest, static_cast<std::uint32_t>(now - listeners.begin())};
  peer_trusted_ = newest->config().trusted_proxies.contain(peer_.address());
}

void Connection::learn_client_address() {
  const int known = peer_.learn(shard_.loop().kernel(), client_.descriptor());
  if (known < 0) {
    // It has reset the connection already. No upstream is to get a request of nobody.
    return end({.reason = Reason::kClientReset, .error = -known});
  }
  peer_trusted_ = shard_.config().trusted_proxies.contain(peer_.address());
}

}  // namespace gateway
