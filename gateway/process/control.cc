#include "gateway/process/control.hh"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace gateway {

// Its owner's until nothing of it is in flight; a reply that comes later finds nobody.
class ControlClient : public std::enable_shared_from_this<ControlClient> {
 public:
  ControlClient(Control& owner, int descriptor)
      : owner_(owner), descriptor_(descriptor), deadline_(*this, owner.loop_.timers()) {}
  ~ControlClient() { close(descriptor_); }
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  void start() {
    deadline_.arm(owner_.loop_.now() + Control::kPatience);
    receive();
  }

  void cut() {
    over_ = true;
    owner_.loop_.cancel(receive_);
    owner_.loop_.cancel(send_);
    end_if_idle();
  }

 private:
  void receive() {
    io_uring_prep_recv(&owner_.loop_.prepare(receive_), descriptor_, input_.data() + size_,
                       input_.size() - size_, 0);
  }

  void on_received(uring::Completion completion) {
    if (over_ || completion.result <= 0) return end();
    size_ += static_cast<std::size_t>(completion.result);
    const std::string_view text(input_.data(), size_);
    const std::size_t line_end = text.find('\n');
    if (line_end == text.npos) return size_ < input_.size() ? receive() : end();
    deadline_.disarm();
    owner_.handler_(text.substr(0, line_end),
                    [self = weak_from_this()](const Control::Answer& answer) {
                      if (const auto client = self.lock()) client->reply(answer);
                    });
  }

  void reply(const Control::Answer& answer) {
    if (over_) return;
    output_ = (answer.done ? "ok\n" : "failed\n") + answer.text;
    deadline_.arm(owner_.loop_.now() + Control::kPatience);
    send();
  }

  void send() {
    io_uring_prep_send(&owner_.loop_.prepare(send_), descriptor_, output_.data() + sent_,
                       output_.size() - sent_, MSG_NOSIGNAL);
  }

  void on_sent(uring::Completion completion) {
    if (over_ || completion.result <= 0) return end();
    sent_ += static_cast<std::size_t>(completion.result);
    sent_ < output_.size() ? send() : end();
  }

  void end() {
    over_ = true;
    end_if_idle();
  }
  void end_if_idle() {
    if (!receive_.in_flight() && !send_.in_flight()) owner_.forget(*this);
  }

  Control& owner_;
  int descriptor_;
  std::array<char, Control::kLineBytesMax> input_{};
  std::size_t size_ = 0;
  std::string output_;
  std::size_t sent_ = 0;
  uring::OperationMember<&ControlClient::on_received> receive_{*this};
  uring::OperationMember<&ControlClient::on_sent> send_{*this};
  uring::TimerMember<&ControlClient::cut> deadline_;
  bool over_ = false;
};

std::expected<std::unique_ptr<Control>, std::string> Control::open(const std::string& path,
                                                                   const config::UnixFile& file,
                                                                   InheritedSockets& inherited,
                                                                   uring::Loop& loop,
                                                                   Handler handler) {
  const auto address = config::unix_address(path);
  if (!address) return std::unexpected("'" + path + "' " + address.error());
  if (auto taken = inherited.take(*address); !taken.descriptors.empty()) {
    auto adopted = ListeningAddress::adopt(*address, std::move(taken));
    if (auto given = adopted->give_file(file); !given) return std::unexpected(given.error());
    return std::unique_ptr<Control>(new Control(std::move(adopted), loop, std::move(handler)));
  }
  auto bound = ListeningAddress::bind(
      *address, 1, {.patience = std::chrono::milliseconds(1000), .unix_file = file});
  if (!bound) return std::unexpected(std::move(bound.error()));
  if (auto listening = (*bound)->listen(); !listening)
    return std::unexpected(std::move(listening.error()));
  return std::unique_ptr<Control>(new Control(std::move(*bound), loop, std::move(handler)));
}

Control::Control(std::unique_ptr<ListeningAddress> address, uring::Loop& loop, Handler handler)
    : address_(std::move(address)),
      loop_(loop),
      handler_(std::move(handler)),
      listener_(loop, address_->descriptors().front(), *this),
      all_gone_(loop.ready()),
      left_(loop.ready()) {}

Control::~Control() = default;

void Control::accepted(int descriptor) {
  clients_.push_back(std::make_shared<ControlClient>(*this, descriptor));
  if (stopping_) return forget(*clients_.back());
  clients_.back()->start();
}

Control::Appetite Control::appetite() {
  return clients_.size() < kClientsMax ? Appetite::kOne : Appetite::kNone;
}

void Control::forget(ControlClient& client) {
  std::erase_if(clients_, [&](const auto& one) { return one.get() == &client; });
  if (clients_.empty()) all_gone_.set();
  if (!closed_) listener_.resume();
}

void Control::start() {
  started_ = true;
  listener_.start();
}

void Control::take_over() {
  address_->take_over();
  start();
}

void Control::hand_over() {
  address_->hand_over();
  handed_over_ = true;
  close();
}

void Control::close() {
  if (std::exchange(closed_, true)) return;
  address_->refuse_new();
  leaving_ = leave();
  leaving_.start();
}

uring::Task<> Control::leave() {
  // Where it never began, the queue is another's.
  if (handed_over_ || !started_) {
    co_await listener_.leave_queue();
  } else {
    co_await listener_.stop();
  }
  left_.set();
}

uring::Task<> Control::stop() {
  stopping_ = true;
  close();
  co_await left_.wait();
  const std::vector<std::shared_ptr<ControlClient>> left(clients_.begin(), clients_.end());
  for (const auto& client : left) client->cut();
  while (!clients_.empty()) {
    all_gone_.clear();
    co_await all_gone_.wait();
  }
}

}  // namespace gateway
