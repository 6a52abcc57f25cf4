#include "tests/uring/simulator.hh"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "uring/poison.hh"

using std::chrono::microseconds;
using std::chrono::nanoseconds;

SimulatedKernel::SimulatedKernel(std::uint64_t seed, SimulationOptions options)
    : dice_(seed), options_(options) {
  queue_.reserve(kQueueEntries);
}

SimulatedKernel::~SimulatedKernel() {
  EXPECT_TRUE(requests_.empty()) << "requests outlive their loop";
  EXPECT_TRUE(rings_.empty()) << "a buffer ring was never removed";
}

// As the system does, the lowest number that is free: what names a closed one hits another.
int SimulatedKernel::new_descriptor(Descriptor descriptor) {
  int number = 1000;
  while (descriptors_.contains(number)) ++number;
  descriptors_.emplace(number, std::move(descriptor));
  return number;
}

int SimulatedKernel::open_stream(Stream& peer) {
  peer = std::make_shared<SimulatedStream>(options_.window);
  return new_descriptor({.stream = peer, .waiting = {}});
}

SimulatedKernel::Stream SimulatedKernel::peer_of(int descriptor) {
  return descriptors_.at(descriptor).stream;
}

int SimulatedKernel::open_listener() {
  return new_descriptor({.stream = nullptr, .listening = true, .waiting = {}});
}

SimulatedKernel::Stream SimulatedKernel::come_to(int listener) {
  auto stream = std::make_shared<SimulatedStream>(options_.window);
  descriptors_.at(listener).waiting.push_back(stream);
  return stream;
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
  Request request{now_, now_, 0, std::make_unique<io_uring_sqe>(sqe)};
  const auto descriptor = descriptors_.find(sqe.fd);
  if (descriptor == descriptors_.end()) {
    ADD_FAILURE() << "a request for descriptor " << sqe.fd << ", which is not open";
    post(request, -EBADF, 0, false);
    return;
  }
  for (const auto& [number, other] : requests_) {
    EXPECT_NE(other.sqe->user_data, sqe.user_data) << "an operation with two requests in flight";
    EXPECT_FALSE(other.sqe->fd == sqe.fd && other.sqe->opcode == sqe.opcode)
        << "two requests of a kind on descriptor " << sqe.fd;
  }
  if (sqe.opcode == IORING_OP_CONNECT) request.not_before += microseconds(dice_.between(0, 5000));
  ++descriptor->second.in_flight;
  requests_.emplace(next_request_++, std::move(request));
}

void SimulatedKernel::cancel(const io_uring_sqe& sqe) {
  Request cancellation{now_, now_, 0, std::make_unique<io_uring_sqe>(sqe)};
  const auto named = [&](const auto& entry) { return entry.second.sqe->user_data == sqe.addr; };
  auto target = std::ranges::find_if(requests_, named);
  if (target != requests_.end() && able(target->second) && dice_.chance(50)) {
    perform(target);
    target = std::ranges::find_if(requests_, named);
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
  const Time deadline = timeout ? now_ + *timeout : Time::max();
  overwrite_given_back();
  submit();
  for (;;) {
    const bool any_able = progress();
    if (completion_due() || now_ >= deadline) return;
    Time next = posted_.empty() ? Time::max() : posted_.begin()->first;
    for (const auto& [number, request] : requests_) {
      if (request.not_before > now_) next = std::min(next, request.not_before);
    }
    if (any_able) next = now_ + microseconds(1);
    if (next == Time::max() && !timeout) {
      stuck_ = true;
      ADD_FAILURE() << "the loop waits for ever";
      return;
    }
    now_ = std::min(next, deadline);
  }
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
  if (!options_.calm) std::ranges::shuffle(numbers, dice_.engine());
  for (const std::uint64_t number : numbers) {
    if (!options_.calm && dice_.chance(20)) continue;
    for (std::size_t times = options_.calm ? 64 : dice_.between(1, 4); times > 0; --times) {
      const auto at = requests_.find(number);
      if (at == requests_.end() || !able(at->second)) break;
      perform(at);
    }
  }
  return !numbers.empty();
}

bool SimulatedKernel::able(const Request& request) {
  const Descriptor& on = descriptors_.at(request.sqe->fd);
  switch (request.sqe->opcode) {
    case IORING_OP_RECV:
      return on.stream == nullptr || on.stream->local_receivable();
    case IORING_OP_SEND:
      return on.stream == nullptr || on.stream->local_sendable();
    case IORING_OP_CONNECT:
      return on.shut_down || (request.not_before <= now_ && connect_answer_ != kNoAnswer);
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
  if (options_.calm || dice_.chance(50)) return most;
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
  if (!multishot || spent || (!options_.calm && dice_.chance(5))) return end(at, result, flags);
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

void SimulatedKernel::connect(Requests::iterator at) {
  Descriptor& on = descriptors_.at(at->second.sqe->fd);
  if (on.shut_down) return end(at, -ECONNABORTED);
  if (connect_answer_ == 0) on.stream = std::make_shared<SimulatedStream>(options_.window);
  end(at, -connect_answer_);
}

void SimulatedKernel::accept(Requests::iterator at) {
  if (accept_error_ != 0) return end(at, -std::exchange(accept_error_, 0));
  Descriptor& listener = descriptors_.at(at->second.sqe->fd);
  const Stream stream = listener.waiting.front();
  listener.waiting.pop_front();
  const int accepted = new_descriptor({.stream = stream, .waiting = {}});
  const bool multishot = (at->second.sqe->ioprio & IORING_ACCEPT_MULTISHOT) != 0;
  if (!multishot || (!options_.calm && dice_.chance(10))) return end(at, accepted);
  more(at->second, accepted, 0);
}

void SimulatedKernel::read_bell(Requests::iterator at) {
  if (!options_.calm && dice_.chance(10)) return end(at, -EINTR);
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
  requests_.erase(at);
}

void SimulatedKernel::post(Request& request, int result, std::uint32_t flags, bool terminal) {
  Time due = now_;
  if (!options_.calm && dice_.chance(10)) due += microseconds(dice_.of_any_size(1, 20'000));
  request.last_due = std::max(request.last_due, due);
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

io_uring_buf_ring* SimulatedKernel::add_buffer_ring(unsigned entries, std::uint16_t group) {
  EXPECT_EQ(entries & (entries - 1), 0u) << "a ring's size is a power of two";
  void* memory =
      std::aligned_alloc(4096, std::max<std::size_t>(4096, entries * sizeof(io_uring_buf)));
  std::memset(memory, 0, entries * sizeof(io_uring_buf));
  auto* shared = static_cast<io_uring_buf_ring*>(memory);
  rings_[group] = {shared, entries};
  return shared;
}

void SimulatedKernel::remove_buffer_ring(io_uring_buf_ring* ring, unsigned, std::uint16_t group) {
  EXPECT_EQ(rings_.at(group).shared, ring);
  rings_.erase(group);
  std::free(ring);
}

// Whoever still looks at a buffer that was given back finds other bytes there.
void SimulatedKernel::overwrite_given_back() {
  for (auto& [group, ring] : rings_) {
    for (; ring.seen_tail != ring.shared->tail; ++ring.seen_tail) {
      const io_uring_buf& buffer = ring.shared->bufs[ring.seen_tail & (ring.entries - 1)];
      void* memory = reinterpret_cast<void*>(buffer.addr);
      uring::unpoison(memory, buffer.len);
      std::memset(memory, 0xdd, buffer.len);
      uring::poison(memory, buffer.len);
    }
    EXPECT_LE(static_cast<std::uint16_t>(ring.seen_tail - ring.head), ring.entries)
        << "a buffer was given back twice";
  }
}

int SimulatedKernel::open_socket(int) {
  return new_descriptor({.stream = nullptr, .waiting = {}});
}

int SimulatedKernel::open_bell() {
  return new_descriptor({.stream = nullptr, .waiting = {}});
}

void SimulatedKernel::reset_on_close(int descriptor) {
  descriptors_.at(descriptor).reset_on_close = true;
}

// The loopback address, and the descriptor's number for a port.
int SimulatedKernel::peer_address(int descriptor, sockaddr* address, socklen_t* length) {
  const SimulatedStream* stream = descriptors_.at(descriptor).stream.get();
  if (stream == nullptr || stream->finished_by_reset()) return -ENOTCONN;
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<std::uint16_t>(descriptor));
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_GE(*length, sizeof peer);
  std::memcpy(address, &peer, sizeof peer);
  *length = sizeof peer;
  return 0;
}

void SimulatedKernel::fill_random(std::span<std::byte> bytes) {
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(dice_.between(0, 255));
}

int SimulatedKernel::shutdown(int descriptor, int how) {
  const auto at = descriptors_.find(descriptor);
  if (at == descriptors_.end()) {
    ADD_FAILURE() << "shutdown of descriptor " << descriptor << ", which is not open";
    return -EBADF;
  }
  at->second.shut_down = true;
  if (at->second.stream == nullptr) return -ENOTCONN;
  at->second.stream->local_shutdown(how);
  return 0;
}

bool SimulatedKernel::client_waits(int listening_descriptor) {
  return !descriptors_.at(listening_descriptor).waiting.empty();
}

int SimulatedKernel::close(int descriptor) {
  const auto at = descriptors_.find(descriptor);
  if (at == descriptors_.end()) {
    ADD_FAILURE() << "close of descriptor " << descriptor << ", which is not open";
    return -EBADF;
  }
  EXPECT_EQ(at->second.in_flight, 0u) << "closed with requests in flight";
  for (const io_uring_sqe& sqe : queue_) {
    const bool names_it = sqe.opcode != IORING_OP_ASYNC_CANCEL && sqe.fd == descriptor;
    EXPECT_FALSE(names_it) << "closed with a request that was not submitted";
  }
  if (at->second.stream != nullptr) at->second.stream->local_close(at->second.reset_on_close);
  descriptors_.erase(at);
  return 0;
}
