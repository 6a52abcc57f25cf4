#include "tests/uring/simulator.hh"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "uring/poison.hh"

using std::chrono::microseconds;
using std::chrono::nanoseconds;

SimulatedKernel::SimulatedKernel(std::uint64_t seed, SimulationOptions options,
                                 std::shared_ptr<SimulatedSystem> system)
    : dice_(seed),
      options_(options),
      system_(system ? std::move(system) : std::make_shared<SimulatedSystem>()),
      now_(system_->now),
      descriptors_(system_->descriptors),
      turned_at_(now_) {
  queue_.reserve(kQueueEntries);
}

SimulatedKernel::~SimulatedKernel() {
  EXPECT_TRUE(requests_.empty()) << "requests outlive their loop";
  EXPECT_TRUE(rings_.empty()) << "a buffer ring was never removed";
}

io_uring_sqe& SimulatedKernel::next_sqe() {
  if (queue_.size() == kQueueEntries) submit();
  return queue_.emplace_back();
}

void SimulatedKernel::submit() {
  const auto requests = std::exchange(queue_, {});
  queue_.reserve(kQueueEntries);
  for (const io_uring_sqe& sqe : requests) submit_one(sqe);
}

void SimulatedKernel::submit_one(const io_uring_sqe& sqe) {
  if (sqe.opcode == IORING_OP_ASYNC_CANCEL) {
    cancel(sqe);
    return;
  }
  Request request{now_, now_, 0, std::make_unique<io_uring_sqe>(sqe), {}};
  const auto descriptor = descriptors_.find(sqe.fd);
  if (descriptor == descriptors_.end()) {
    ADD_FAILURE() << "a request for descriptor " << sqe.fd << ", which is not open";
    post(request, -EBADF, 0, false);
    return;
  }
  EXPECT_TRUE(numbers_.emplace(sqe.user_data, next_request_).second)
      << "an operation with two requests in flight";
  const bool accepts = sqe.opcode == IORING_OP_ACCEPT;  // several clients at once
  EXPECT_TRUE(under_way_.emplace(sqe.fd, sqe.opcode).second || accepts)
      << "two requests of a kind on descriptor " << sqe.fd;
  if (sqe.opcode == IORING_OP_CONNECT) {
    request.not_before += microseconds(dice_.between(0, 5000));
    // The kernel has read it when the request is submitted.
    request.address = SimulatedSystem::name_of(reinterpret_cast<const sockaddr*>(sqe.addr));
  }
  ++descriptor->second.in_flight;
  request.on = &descriptor->second;
  requests_.emplace(next_request_++, std::move(request));
}

void SimulatedKernel::cancel(const io_uring_sqe& sqe) {
  Request cancellation{now_, now_, 0, std::make_unique<io_uring_sqe>(sqe), {}};
  const auto named = [&] {
    const auto number = numbers_.find(sqe.addr);
    return number == numbers_.end() ? requests_.end() : requests_.find(number->second);
  };
  auto target = named();
  if (target != requests_.end() && able(target->second) && has(kSlowCancel) && dice_.chance(50)) {
    perform(target);
    target = named();
  }
  post(cancellation, target == requests_.end() ? -ENOENT : 0, 0, false);
  if (target == requests_.end()) return;
  const bool send = target->second.sqe->opcode == IORING_OP_SEND;
  const auto sent = send ? static_cast<int>(target->second.done) : 0;
  end(target, sent > 0 ? sent : -ECANCELED);
}

void SimulatedKernel::submit_and_wait(std::optional<nanoseconds> timeout) {
  ++enters_;
  now_ += microseconds(1);
  // On a stepped system the wait began when the last turn did, whose time the loop counts from.
  const Time begun = system_->stepped ? std::exchange(turned_at_, now_) : now_;
  const Time deadline = timeout ? begun + *timeout : Time::max();
  overwrite_given_back();
  submit();
  if (system_->stepped) {
    progress();
    waits_ = !completion_due() && now_ < deadline;
    waits_until_ = deadline;
    return;
  }
  for (;;) {
    const bool any_able = progress();
    if (completion_due() || now_ >= deadline) return;
    Time next = next_completion();
    if (any_able) next = now_ + microseconds(1);
    if (next == Time::max() && !timeout) {
      stuck_ = true;
      ADD_FAILURE() << "the loop waits for ever";
      return;
    }
    now_ = std::min(next, deadline);
  }
}

// As far as nothing comes from outside.
SimulatedKernel::Time SimulatedKernel::next_completion() const {
  Time next = posted_.empty() ? Time::max() : posted_.begin()->first;
  for (const auto& [number, request] : requests_) {
    if (request.not_before > now_) next = std::min(next, request.not_before);
  }
  return next;
}

bool SimulatedKernel::due() {
  if (!waits_ || !queue_.empty() || completion_due() || waits_until_ <= now_) return true;
  return std::ranges::any_of(requests_, [&](const auto& entry) { return able(entry.second); });
}

SimulatedKernel::Time SimulatedKernel::next_event() const {
  return std::min(next_completion(), waits_until_);
}

bool SimulatedKernel::completion_due() const {
  return !posted_.empty() && posted_.begin()->first <= now_;
}

// Lets each request that can go on do so, in any order, or not yet. Says whether there was one.
bool SimulatedKernel::progress() {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, request] : requests_) {
    if (able(request)) numbers.push_back(number);
  }
  if (has(kReordered)) std::ranges::shuffle(numbers, dice_.engine());
  for (const std::uint64_t number : numbers) {
    if (has(kReordered) && dice_.chance(20)) continue;
    for (std::size_t times = has(kReordered) ? dice_.between(1, 4) : 64; times > 0; --times) {
      const auto at = requests_.find(number);
      if (at == requests_.end() || !able(at->second)) break;
      perform(at);
    }
  }
  return !numbers.empty();
}

bool SimulatedKernel::able(const Request& request) {
  const Descriptor& on = *request.on;
  switch (request.sqe->opcode) {
    case IORING_OP_RECV:
      return on.stream == nullptr || on.stream->local_receivable();
    case IORING_OP_SEND:
      return on.stream == nullptr || on.stream->local_sendable();
    case IORING_OP_CONNECT:
      return on.shut_down || (request.not_before <= now_ && answer_to(request) != kNoAnswer);
    case IORING_OP_ACCEPT:
      return !on.waiting.empty() || accept_error_ != 0;
    case IORING_OP_READ:
      return on.rung > 0;
    case IORING_OP_POLL_ADD:
      // What was told already is told no second time.
      return hangups_of(on) > request.done;
    default:
      return true;
  }
}

void SimulatedKernel::perform(Requests::iterator at) {
  switch (at->second.sqe->opcode) {
    case IORING_OP_RECV:
      return receive(at);
    case IORING_OP_SEND:
      return send(at);
    case IORING_OP_CONNECT:
      return connect(at);
    case IORING_OP_ACCEPT:
      return accept(at);
    case IORING_OP_READ:
      return read_bell(at);
    case IORING_OP_POLL_ADD:
      return hung_up(at);
    default:
      ADD_FAILURE() << "the simulator knows no request " << int{at->second.sqe->opcode};
      return end(at, -EINVAL);
  }
}

// How much has ended: nothing, the stream, all.
std::size_t SimulatedKernel::hangups_of(const Descriptor& on) {
  if (on.stream == nullptr || on.stream->local_all_over()) return 2;
  return on.stream->local_hung_up() ? 1 : 0;
}

// As Linux does, it looks for the end of the stream (POLLRDHUP) whatever was asked for; a multishot
// request goes on, and tells of what changes.
void SimulatedKernel::hung_up(Requests::iterator at) {
  const io_uring_sqe& sqe = *at->second.sqe;
  EXPECT_TRUE(sqe.poll32_events == 0 || sqe.poll32_events == static_cast<unsigned>(POLLRDHUP));
  at->second.done = hangups_of(descriptors_.at(sqe.fd));
  const int events = POLLRDHUP | (at->second.done == 2 ? POLLHUP : 0);
  if ((sqe.len & IORING_POLL_ADD_MULTI) != 0) {
    more(at->second, events, 0);
  } else {
    end(at, events);
  }
}

std::size_t SimulatedKernel::some_of(std::size_t most) {
  if (!has(kShortResults) || dice_.chance(50)) return most;
  return dice_.between(1, most);
}

void SimulatedKernel::receive(Requests::iterator at) {
  Request& request = at->second;
  const io_uring_sqe& sqe = *request.sqe;
  const bool multishot = (sqe.ioprio & IORING_RECV_MULTISHOT) != 0;
  if (multishot && !options_.byte_cap && sqe.optlen != 0) return end(at, -EINVAL);
  EXPECT_NE(sqe.flags & IOSQE_BUFFER_SELECT, 0);
  SimulatedStream* stream = descriptors_.at(sqe.fd).stream.get();
  if (stream == nullptr) return end(at, -ENOTCONN);

  BufferRing& ring = rings_.at(sqe.buf_group);
  std::byte nothing[1];
  if (ring.head == ring.shared->tail) {
    // Whether there are bytes shows only without a buffer to put them into.
    SimulatedStream probe = *stream;
    const int result = probe.local_receive(nothing);
    if (result > 0) return end(at, -ENOBUFS);
    return end(at, stream->local_receive(nothing));
  }
  const io_uring_buf buffer = ring.shared->bufs[ring.head & (ring.entries - 1)];
  std::size_t size = buffer.len;
  if (!multishot && sqe.len != 0) size = std::min<std::size_t>(size, sqe.len);
  size = some_of(size);
  auto* memory = reinterpret_cast<std::byte*>(buffer.addr);
  uring::unpoison(memory, size);
  const int result = stream->local_receive({memory, size});
  uring::poison(memory, size);
  if (result <= 0) return end(at, result);

  ++ring.head;
  request.done += static_cast<std::size_t>(result);
  const std::uint32_t flags =
      IORING_CQE_F_BUFFER | (static_cast<std::uint32_t>(buffer.bid) << IORING_CQE_BUFFER_SHIFT);
  const bool spent = sqe.optlen != 0 && request.done >= sqe.optlen;
  if (!multishot || spent || (has(kMultishotEnds) && dice_.chance(5))) {
    return end(at, result, flags);
  }
  more(request, result, flags);
}

void SimulatedKernel::send(Requests::iterator at) {
  Request& request = at->second;
  EXPECT_EQ(request.sqe->msg_flags, static_cast<unsigned>(MSG_WAITALL | MSG_NOSIGNAL));
  SimulatedStream* stream = descriptors_.at(request.sqe->fd).stream.get();
  if (stream == nullptr) return end(at, -ENOTCONN);
  const auto* bytes = reinterpret_cast<const std::byte*>(request.sqe->addr);
  const std::size_t rest = request.sqe->len - request.done;
  const int result = stream->local_send({bytes + request.done, some_of(rest)});
  if (result > 0) {
    request.done += static_cast<std::size_t>(result);
    if (request.done == request.sqe->len) end(at, static_cast<int>(request.done));
  } else if (result != -EAGAIN) {
    end(at, request.done > 0 ? static_cast<int>(request.done) : result);
  }
}

int SimulatedKernel::answer_to(const Request& request) const {
  const SimulatedSystem::Site* const site = system_->site_at(request.address);
  return site == nullptr ? connect_answer_ : site->answer;
}

void SimulatedKernel::connect(Requests::iterator at) {
  Descriptor& on = descriptors_.at(at->second.sqe->fd);
  if (on.shut_down) return end(at, -ECONNABORTED);
  const int answer = answer_to(at->second);
  if (answer == 0) {
    on.stream = std::make_shared<SimulatedStream>(options_.window);
    SimulatedSystem::Site* const site = system_->site_at(at->second.address);
    if (site != nullptr) site->arrived.push_back(on.stream);
  }
  end(at, -answer);
}

void SimulatedKernel::accept(Requests::iterator at) {
  if (accept_error_ != 0) return end(at, -std::exchange(accept_error_, 0));
  Descriptor& listener = descriptors_.at(at->second.sqe->fd);
  if (has(kShortage) && dice_.chance(5)) return end(at, -EMFILE);
  const Stream stream = listener.waiting.front();
  listener.waiting.pop_front();
  const int accepted =
      system_->new_descriptor({.stream = stream, .is_unix = listener.is_unix, .waiting = {}});
  const bool multishot = (at->second.sqe->ioprio & IORING_ACCEPT_MULTISHOT) != 0;
  if (!multishot || (has(kMultishotEnds) && dice_.chance(10))) return end(at, accepted);
  more(at->second, accepted, 0);
}

void SimulatedKernel::read_bell(Requests::iterator at) {
  if (has(kReordered) && dice_.chance(10)) return end(at, -EINTR);
  const io_uring_sqe& sqe = *at->second.sqe;
  const std::uint64_t count = std::exchange(descriptors_.at(sqe.fd).rung, 0);
  EXPECT_EQ(sqe.len, sizeof count);
  std::memcpy(reinterpret_cast<void*>(sqe.addr), &count, sizeof count);
  end(at, sizeof count);
}

void SimulatedKernel::more(Request& request, int result, std::uint32_t flags) {
  post(request, result, flags | IORING_CQE_F_MORE, false);
}

void SimulatedKernel::end(Requests::iterator at, int result, std::uint32_t flags) {
  post(at->second, result, flags, true);
  numbers_.erase(at->second.sqe->user_data);
  under_way_.erase({at->second.sqe->fd, at->second.sqe->opcode});
  requests_.erase(at);
}

void SimulatedKernel::post(Request& request, int result, std::uint32_t flags, bool terminal) {
  Time due = now_;
  if (has(kLate) && dice_.chance(10)) due += microseconds(dice_.of_any_size(1, 20'000));
  request.last_due = std::max(request.last_due, due);
  if (terminal) {
    // What ends on a descriptor is told in order: whoever has been told of a reset that another one
    // does not hear of any more was told first.
    Time& last_end = descriptors_.at(request.sqe->fd).last_end;
    request.last_due = last_end = std::max(last_end, request.last_due);
  }
  const Posted posted{request.sqe->user_data, result, flags, terminal ? request.sqe->fd : -1};
  posted_.emplace(request.last_due, posted);
}

std::size_t SimulatedKernel::take_completions(std::span<io_uring_cqe> completions) {
  std::size_t count = 0;
  while (count < completions.size() && completion_due()) {
    const Posted& posted = posted_.begin()->second;
    completions[count].user_data = posted.user_data;
    completions[count].res = posted.result;
    completions[count].flags = posted.flags;
    if (posted.ended_on >= 0) --descriptors_.at(posted.ended_on).in_flight;
    posted_.erase(posted_.begin());
    ++count;
  }
  return count;
}
