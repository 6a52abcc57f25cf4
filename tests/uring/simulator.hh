// A kernel that is made of chance: it takes the runtime's real requests, and answers them with what
// a kernel may answer. From its seed it draws the order among sockets, how much a receive or a send
// takes at once, which completions come late, which multishot request ends early, and whether a
// cancellation is faster than what it cancels. Time is virtual: waiting costs nothing.
//
// It watches the runtime, too, and fails the test when a descriptor is closed with a request in
// flight, when two receives or two sends are under way on one socket, or when a request names a
// descriptor that is closed. Buffers that come back to a ring are overwritten.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/uring/dice.hh"
#include "tests/uring/simulated_stream.hh"
#include "tests/uring/simulated_system.hh"
#include "uring/kernel.hh"

// What may go wrong, or come otherwise than asked for.
enum SimulatedFault : unsigned {
  kShortResults = 1,   // receives and sends take a part
  kLate = 2,           // completions wait
  kReordered = 4,      // requests go on in any order, or not yet
  kMultishotEnds = 8,  // without F_MORE, though nothing is wrong
  kSlowCancel = 16,    // what is cancelled is faster
  kShortage = 32,      // now and then no descriptor is left (EMFILE)
};
constexpr unsigned kUsualFaults = kShortResults | kLate | kReordered | kMultishotEnds | kSlowCancel;

struct SimulationOptions {
  bool byte_cap = true;            // as Linux 6.17 and later
  bool calm = false;               // everything at once, in full and in order
  std::size_t window = 16 << 10;   // bytes that a stream holds in each direction
  unsigned faults = kUsualFaults;  // unless it is calm
};

class SimulatedKernel final : public uring::Kernel {
 public:
  using Time = uring::Clock::time_point;
  using Stream = std::shared_ptr<SimulatedStream>;

  // On a system of its own, or on one that it shares with others.
  explicit SimulatedKernel(std::uint64_t seed, SimulationOptions options = {},
                           std::shared_ptr<SimulatedSystem> system = nullptr);
  ~SimulatedKernel() override;

  // A connected descriptor, and its peer.
  int open_stream(Stream& peer);
  // The peer of a descriptor that has connected or was accepted.
  Stream peer_of(int descriptor);

  // A listening descriptor, and a client that comes to it.
  int open_listener(bool is_unix = false);
  Stream come_to(int listener);
  // Whose addresses have been asked for since the last call, in order, of those who say where they
  // come from.
  std::vector<Stream> take_asked_for() { return std::exchange(asked_for_, {}); }
  // The next accept ends with this error.
  void fail_next_accept(int error) { accept_error_ = error; }

  // How connects end from now on where no site says so: 0, an errno, or kNoAnswer.
  static constexpr int kNoAnswer = -1;
  void answer_connects(int error) { connect_answer_ = error; }

  std::size_t open_descriptors() const { return descriptors_.size(); }
  std::size_t requests() const { return requests_.size(); }
  // The loop waited without an end, and there was nothing that could have woken it.
  bool stuck() const { return stuck_; }
  // On a stepped system: a turn would find something to do; and when it will, if nothing comes.
  bool due();
  Time next_event() const;
  Dice& dice() { return dice_; }

  void enable() override {}
  io_uring_sqe& next_sqe() override;
  void submit_and_wait(std::optional<std::chrono::nanoseconds> timeout) override;
  std::size_t take_completions(std::span<io_uring_cqe> completions) override;
  Time now() override { return now_; }
  io_uring_buf_ring* add_buffer_ring(unsigned entries, std::uint16_t group) override;
  void remove_buffer_ring(io_uring_buf_ring* ring, unsigned entries, std::uint16_t group) override;
  int open_socket(int family, const uring::TcpOptions& options) override;
  void reset_on_close(int descriptor) override;
  int bind_source(int descriptor, const uring::Source& source) override;
  int peer_address(int descriptor, sockaddr* address, socklen_t* length) override;
  int own_address(int descriptor, sockaddr* address, socklen_t* length) override;
  Taking taking(int descriptor) override;
  void fill_random(std::span<std::byte> bytes) override;
  int shutdown(int descriptor, int how) override;
  int close(int descriptor) override;
  bool client_waits(int listening_descriptor) override;
  int open_bell() override;
  void ring(int bell) override { ++descriptors_.at(bell).rung; }
  bool receive_byte_cap() const override { return options_.byte_cap; }
  std::uint64_t enters() const override { return enters_; }

 private:
  static constexpr std::size_t kQueueEntries = 16;

  using Descriptor = SimulatedSystem::Descriptor;
  struct Request {
    Time not_before;  // connects take their time
    Time last_due;    // completions of one request stay in order
    std::size_t done = 0;
    std::unique_ptr<const io_uring_sqe> sqe;
    std::string address;             // of a connect
    const Descriptor* on = nullptr;  // which is not closed before it has ended
  };
  struct Posted {
    std::uint64_t user_data;
    int result;
    std::uint32_t flags;
    int ended_on;  // the descriptor of a request that ends with this; -1 for others
  };
  struct BufferRing {
    io_uring_buf_ring* shared = nullptr;
    unsigned entries = 0;
    std::uint16_t head = 0;
    std::uint16_t seen_tail = 0;
  };
  using Requests = std::map<std::uint64_t, Request>;  // by number, in order of submission

  bool has(SimulatedFault fault) const { return !options_.calm && (options_.faults & fault) != 0; }
  void submit();
  void submit_one(const io_uring_sqe& sqe);
  void cancel(const io_uring_sqe& sqe);
  bool progress();
  bool able(const Request& request);
  void perform(Requests::iterator at);
  void receive(Requests::iterator at);
  void send(Requests::iterator at);
  int answer_to(const Request& request) const;
  void connect(Requests::iterator at);
  void accept(Requests::iterator at);
  void read_bell(Requests::iterator at);
  static std::size_t hangups_of(const Descriptor& on);
  void hung_up(Requests::iterator at);
  void more(Request& request, int result, std::uint32_t flags);
  void end(Requests::iterator at, int result, std::uint32_t flags = 0);
  void post(Request& request, int result, std::uint32_t flags, bool terminal);
  bool completion_due() const;
  Time next_completion() const;
  void overwrite_given_back();
  // How much of `most` the kernel does at once.
  std::size_t some_of(std::size_t most);

  Dice dice_;
  SimulationOptions options_;
  std::shared_ptr<SimulatedSystem> system_;
  Time& now_;
  std::map<int, Descriptor>& descriptors_;
  std::vector<io_uring_sqe> queue_;
  Requests requests_;
  std::unordered_map<std::uint64_t, std::uint64_t> numbers_;  // of these, by their user_data
  std::set<std::pair<int, int>> under_way_;                   // descriptor and opcode
  std::multimap<Time, Posted> posted_;
  std::vector<Stream> asked_for_;
  std::map<std::uint16_t, BufferRing> rings_;
  std::uint64_t next_request_ = 0;
  std::uint64_t enters_ = 0;
  int connect_answer_ = 0;
  int accept_error_ = 0;
  bool stuck_ = false;
  // Of the last wait, on a stepped system: how long it would have lasted.
  bool waits_ = false;
  Time waits_until_{};
  Time turned_at_{};
};
