#include "gateway/upstream/upstream_connection.hh"

#include <cerrno>

#include "gateway/upstream/upstreams.hh"

namespace gateway {

UpstreamConnection::UpstreamConnection(Upstreams& owner, uring::LinkResources& links,
                                       UpstreamPool& pool, std::size_t server)
    : owner_(owner),
      pool_(pool),
      server_(pool.server(server)),
      link_(links, uring::LinkSide::kServers),
      opened_(links.loop.now()),
      index_(static_cast<std::uint32_t>(server)),
      era_(pool.eras_[server]) {}

UpstreamConnection::Waiting::Waiting(UpstreamConnection& connection)
    : connection_(connection), timer(*this, connection.owner_.links_.loop.timers()) {}

void UpstreamConnection::Waiting::rest() {
  CHECK(!noticed_or_closed.queued() && !failure, "only what is quiet, or has connected, is taken");
  timer.disarm();
  dialling = {};
  progress = nullptr;
}

UpstreamConnection::Waiting& UpstreamConnection::waiting() {
  if (!waiting_) waiting_ = frames().make<Waiting>(*this);
  return *waiting_;
}

bool UpstreamConnection::Failure::is_shortage() const {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         lacks_source();
}

bool UpstreamConnection::Failure::lacks_source() const {
  return error == EADDRNOTAVAIL;
}

End UpstreamConnection::Failure::end() const {
  return {.reason = is_shortage() ? Reason::kShortage : Reason::kUpstreamUnreachable,
          .error = error,
          .detail = text};
}

void UpstreamConnection::dial(std::size_t address, Patience patience, uring::Event& progress,
                              std::string_view preface) {
  address_ = static_cast<std::uint32_t>(address);
  waiting().progress = &progress;
  owner_.note_attempt(*this);
  waiting_->dialling = dial_story(patience, preface);
  waiting_->dialling.start();
}

uring::Task<> UpstreamConnection::dial_story(Patience patience, std::string_view preface) {
  waiting_->timer.arm(opened_ + patience.connect);
  const int error = co_await link_.connect(address().get(), address().length, pool_->config().tcp,
                                           pool_->next_source(address().family()));
  bool connected = error == 0;
  if (!connected)
    waiting_->failure = std::make_unique<Failure>(Failure{.error = error, .text = {}});
  // Whoever has given it up has taken the preface along.
  if (connected && waiting_->progress != nullptr) link_.write(proto::as_bytes(preface));
  if (connected && pool_->tls() != nullptr) {
    waiting_->timer.arm(opened_ + patience.handshake);
    const bool done = co_await shake_hands();
    connected = done;
  }
  waiting_->timer.disarm();
  if (waiting_->progress == nullptr) {
    owner_.begin_close(*this, Farewell::kNone);
  } else {
    enter(connected ? Stage::kConnected : Stage::kFailed);
  }
}

void UpstreamConnection::enter(Stage stage) {
  stage_ = stage;
  owner_.note_stage(*this);
  waiting_->progress->set();
}

void UpstreamConnection::taken() {
  waiting_->rest();
}

void UpstreamConnection::never_keep() {
  pool_ = {};
  waiting_ = {};
}

uring::Task<bool> UpstreamConnection::shake_hands() {
  const std::string& common_name = pool_->config().tls->name;
  const std::string& name = common_name.empty() ? pool_->config_of(index_).host : common_name;
  link_.secure(std::make_unique<tls::Session>(*pool_->tls(), name, owner_.ticket_of(*this)));
  link_.start_handshake();
  const bool done = co_await link_.handshake();
  if (done) owner_.note_handshake(*link_.session());
  // Nobody has asked anything yet, so it is nobody's answer; and it would have to be read at once.
  const bool spoke = done && link_.has_behind_handshake();
  if (done && !spoke) co_return true;
  waiting_->failure = std::make_unique<Failure>();
  if (spoke) {
    waiting_->failure->text = "the server spoke before it was asked";
    co_return false;
  }
  waiting_->failure->error = link_.error_number();
  if (link_.end() == uring::LinkEnd::kTlsFailed) {
    waiting_->failure->text = "TLS with the server failed: " + link_.session()->error().text();
  } else {
    waiting_->failure->text = "the server left during the TLS handshake";
  }
  co_return false;
}

// While it is kept: the server has closed it, or said something that nobody asked for.
void UpstreamConnection::on_noticed() {
  std::string unasked;
  if (link_.take_input(unasked) == Link::Input::kNothing) return;
  owner_.forget_kept(*this);
  owner_.begin_close(*this, Farewell::kNone);
}

void UpstreamConnection::on_time_over() {
  const bool dials = waiting_->progress != nullptr && !waiting_->dialling.done();
  if (dials) return enter(Stage::kLate);
  if (!kept_) return link_.abort();  // closing takes too long
  owner_.forget_kept(*this);
  owner_.begin_close(*this, Farewell::kPolite);
}

uring::Task<> UpstreamConnection::close_story(Farewell farewell) {
  const bool speaks = link_.is_open() && link_.end() != uring::LinkEnd::kFailed;
  if (speaks && farewell != Farewell::kNone) link_.clear_abort();
  if (speaks && farewell == Farewell::kReset) {
    waiting_->timer.arm(owner_.links_.loop.now() + Upstreams::kResetTime);
    co_await link_.drained();
    link_.reset_on_close();
  } else if (speaks && farewell != Farewell::kNone) {
    co_await take_leave(farewell);
  } else if (speaks && owes_alert()) {
    link_.drop_input();
    link_.clear_abort();
    waiting_->timer.arm(owner_.links_.loop.now() + Upstreams::kResetTime);
    co_await link_.drained();
  }
  waiting_->timer.disarm();
  co_await link_.close();
  owner_.links_.loop.push_next_turn(waiting_->noticed_or_closed);
}

// The server is still to be told why its TLS session has failed.
bool UpstreamConnection::owes_alert() const {
  const tls::Session* const session = link_.session();
  return session != nullptr && session->error().alert == tls::Error::Alert::kSent &&
         link_.has_unsent();
}

uring::Task<> UpstreamConnection::take_leave(Farewell farewell) {
  const bool whole = farewell != Farewell::kTruncated;
  link_.drop_input();
  link_.write_end(whole ? Link::Ending::kWhole : Link::Ending::kTruncated);
  // An upload that was answered early is still delivered, as long as the server takes of it.
  while (whole && listed() && link_.has_unsent() && !link_.send_failed()) {
    const std::uint64_t taken = link_.sent_bytes();
    waiting_->timer.arm(owner_.links_.loop.now() + Upstreams::kFlushTime);
    co_await link_.drained();
    if (link_.sent_bytes() == taken) break;
    if (listed()) link_.clear_abort();
  }
  waiting_->timer.arm(owner_.links_.loop.now() + Upstreams::kLingerTime);
  co_await link_.drained();
  if (farewell == Farewell::kWholeOrReset && link_.has_unsent()) link_.reset_on_close();
  // Without reading on, a server that still speaks would make a reset of our last bytes.
  link_.forget_session();
  const std::uint64_t start = link_.received_bytes();
  while (link_.received_bytes() - start < Upstreams::kLingerBytes) {
    const Bytes discarded = co_await link_.read_once(Upstreams::kLingerBytes);
    if (discarded.empty()) break;
  }
}

void UpstreamConnection::on_noticed_or_closed() {
  kept_ ? on_noticed() : owner_.forget(*this);
}

}  // namespace gateway
