// What each kind of bad citizen does, once it is there.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "tools/load/engine/bad_connection.hh"

namespace load {
namespace {

using ws::FrameHeader;
using ws::Opcode;

// Who asks for much, or never ends, says so much at a time, and nothing while that is not sent.
constexpr std::chrono::milliseconds kTick{50};
constexpr std::size_t kBytesPerTick = 16 * 1024;
constexpr std::size_t kMessagesPerTick = 32;

FrameHeader header_of(const Plan& plan) {
  const bool text = plan.message.text || plan.message.composed.has_value();
  return {.opcode = text ? Opcode::kText : Opcode::kBinary};
}

// The answers to what it asks for stay with the target.
class SlowReader final : public BadConnection {
 public:
  using BadConnection::BadConnection;

 private:
  static constexpr std::chrono::seconds kPause{5};
  static constexpr int kReceiveBytes = 32 * 1024;  // that the kernel takes for it
  static constexpr std::size_t kMessageBytesLeast = 4 * 1024;

  uring::Task<> misbehave() override {
    setsockopt(link_.descriptor(), SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
    if (may_speak()) tick_in(kTick);
    while (!is_stopped() && !peer_has_gone()) {
      co_await pause(kPause);
      if (!is_stopped() && !read_little()) break;
    }
  }

  // Past the link, which would take a whole record of TLS; nobody looks at it. False: it has ended.
  bool read_little() {
    std::array<std::byte, 256> little;
    const ssize_t got = recv(link_.descriptor(), little.data(), little.size(), MSG_DONTWAIT);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
  }

  void tick() override {
    if (peer_has_gone()) return;
    tick_in(kTick);
    if (link_.has_unsent()) return;
    std::vector<std::byte> frames;
    const std::size_t most = std::min(kBytesPerTick, link_.room());
    for (std::size_t i = 0; i < kMessagesPerTick && frames.size() < most; ++i) {
      append_frame(frames, header_of(shared_.plan), message(kMessageBytesLeast), shared_.random);
    }
    link_.write(frames);
  }
};

class Resetter final : public BadConnection {
 public:
  using BadConnection::BadConnection;

 private:
  static constexpr std::chrono::milliseconds kLifeMin{50};
  static constexpr std::chrono::milliseconds kLifeMax{1000};

  uring::Task<> misbehave() override {
    std::vector<std::byte> said;
    if (target_.target.websocket) {
      append_frame(said, header_of(shared_.plan), message(2), shared_.random);
    } else {
      const proto::Bytes request = proto::as_bytes(target_.request);
      said.assign(request.begin(), request.end());
    }
    say(proto::Bytes(said).first(said.size() / 2));
    const auto spread = static_cast<std::uint64_t>((kLifeMax - kLifeMin).count());
    reset_in(kLifeMin + std::chrono::milliseconds(shared_.random() % spread));
    co_await read_to_end();
  }
};

// Every second one says half of its first words: of a ClientHello or, where that is not the turn or
// there is no TLS, of a request's head. The others open, and are gone like a phone in a tunnel:
// their system still acknowledges what comes, which is all that is heard of them.
class HalfOpen final : public BadConnection {
 public:
  HalfOpen(Shared& shared, BadOwner& owner, ShardTarget& target, std::uint64_t number)
      : BadConnection(BadKind::kHalfOpen, shared, owner, target),
        opens_(number % 2 == 1),
        says_hello_(!opens_ && target.tls != nullptr && number % 4 == 0) {}

 private:
  struct Kept final : tls::Sink {
    void append(proto::Bytes sealed) override {
      bytes.insert(bytes.end(), sealed.begin(), sealed.end());
    }
    std::vector<std::byte> bytes;
  };

  Depth depth() const override {
    if (opens_) return Depth::kOpen;
    return says_hello_ ? Depth::kConnected : Depth::kSecured;
  }

  uring::Task<> misbehave() override {
    if (says_hello_) {
      say_half_a_hello();
    } else if (!opens_ || !target_.target.websocket) {
      const std::string& request = target_.request;
      say(proto::as_bytes(request).first(opens_ ? request.size() : request.size() / 2));
    }
    co_await read_to_end();
  }

  void say_half_a_hello() {
    Kept hello;
    tls::Session session(*target_.tls, server_name());
    session.start(hello);
    link_.write(proto::Bytes(hello.bytes).first(hello.bytes.size() / 2));
  }

  const bool opens_;
  const bool says_hello_;
};

class NeverPong final : public BadConnection {
 public:
  using BadConnection::BadConnection;

 private:
  uring::Task<> misbehave() override {
    if (may_speak()) {
      std::vector<std::byte> said;
      append_frame(said, header_of(shared_.plan), message(0), shared_.random);
      link_.write(said);
    }
    co_await read_to_end();
  }
};

// Every second one announces it, the others never say how much will come.
class Oversize final : public BadConnection {
 public:
  Oversize(Shared& shared, BadOwner& owner, ShardTarget& target, std::uint64_t number)
      : BadConnection(BadKind::kOversize, shared, owner, target), announces_(number % 2 == 0) {}

 private:
  static constexpr std::uint64_t kAnnouncedBytes = std::uint64_t{1} << 40;

  uring::Task<> misbehave() override {
    if (announces_) {
      std::vector<std::byte> header;
      append_header(header, {.payload_bytes = kAnnouncedBytes}, shared_.random);
      link_.write(header);
    }
    tick();
    co_await read_to_end();
  }

  void tick() override {
    if (peer_has_gone()) return;
    tick_in(kTick);
    if (link_.has_unsent() && said_any_) return;
    const std::vector<std::byte> piece(std::min(kBytesPerTick, link_.room()), std::byte{'x'});
    if (announces_) {
      link_.write(piece);  // masked with whatever
    } else {
      std::vector<std::byte> fragment;
      const Opcode opcode = said_any_ ? Opcode::kContinuation : Opcode::kBinary;
      append_frame(fragment, {.fin = false, .opcode = opcode}, piece, shared_.random);
      link_.write(fragment);
    }
    said_any_ = true;
  }

  const bool announces_;
  bool said_any_ = false;
};

class Broken final : public BadConnection {
 public:
  using BadConnection::BadConnection;

 private:
  uring::Task<> misbehave() override {
    link_.write(broken_frames(static_cast<Breach>(shared_.random() % kBreaches), shared_.random));
    co_await read_to_end();
  }
};

}  // namespace

std::unique_ptr<BadConnection> make_bad(BadKind kind, Shared& shared, BadOwner& owner,
                                        ShardTarget& target, std::uint64_t number) {
  switch (kind) {
    case BadKind::kSlowReader:
      return std::make_unique<SlowReader>(kind, shared, owner, target);
    case BadKind::kReset:
      return std::make_unique<Resetter>(kind, shared, owner, target);
    case BadKind::kHalfOpen:
      return std::make_unique<HalfOpen>(shared, owner, target, number);
    case BadKind::kNeverPong:
      return std::make_unique<NeverPong>(kind, shared, owner, target);
    case BadKind::kOversize:
      return std::make_unique<Oversize>(shared, owner, target, number);
    case BadKind::kBroken:
      break;
  }
  return std::make_unique<Broken>(kind, shared, owner, target);
}

}  // namespace load
