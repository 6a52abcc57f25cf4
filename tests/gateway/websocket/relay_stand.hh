// A relay between two links on the simulated kernel, and the two peers, which read whatever comes.
#pragma once

#include "gateway/websocket/relay.hh"
#include "tests/proto/ws/frame_bytes.hh"
#include "tests/uring/simulation.hh"

namespace relay_test {

using ws_test::Buffer;
using ws_test::operator+;

constexpr std::uint64_t kSeeds = 20;
constexpr unsigned kText = 0x81, kBinary = 0x82, kClose = 0x88, kPing = 0x89, kPong = 0x8a;
constexpr unsigned kTextBegins = 0x01, kGoesOn = 0x00, kEnds = 0x80;
inline const std::string kLong(30, 'x');

// The first 20 bytes of a frame of 36: its sender is in the middle of it.
inline Buffer first_part(Buffer frame) {
  frame.resize(20);
  return frame;
}

inline Buffer from_client(unsigned first_byte, std::string_view payload) {
  return ws_test::frame(ws::Sender::kClient, first_byte, payload);
}
inline Buffer from_upstream(unsigned first_byte, std::string_view payload) {
  return ws_test::frame(ws::Sender::kServer, first_byte, payload);
}
inline std::string code(std::uint16_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

// Whatever message it belongs to.
inline ws::ParsedHeader parse_any(std::span<const std::byte> bytes, ws::Sender sender) {
  const bool goes_on = (bytes[0] & std::byte{0x0f}) == std::byte{0};
  return ws::parse_header(bytes,
                          {.sender = sender, .rsv_allowed = ws::kRsv1, .message_open = goes_on});
}

// Tests ping with other lengths.
inline bool is_own_ping(std::byte first, const Buffer& payload) {
  return first == std::byte{0x89} && payload.size() == 8;
}

// "81:hello 88:1001", and a frame that is not whole as "81:cut"; reasons of closes are left out,
// and pings of the gateway's own are "89:ours".
inline std::string told(std::span<const std::byte> bytes, ws::Sender sender) {
  std::string text;
  while (!bytes.empty()) {
    const ws::ParsedHeader parsed = parse_any(bytes, sender);
    char first[4];
    std::snprintf(first, sizeof first, "%02x:", std::to_integer<unsigned>(bytes[0]));
    text.append(text.empty() ? "" : " ").append(first);
    const std::size_t size = parsed.header_bytes + parsed.header.payload_bytes;
    if (parsed.header_bytes == 0 || size > bytes.size()) return text + "cut";
    Buffer payload(bytes.begin() + static_cast<long>(parsed.header_bytes),
                   bytes.begin() + static_cast<long>(size));
    if (parsed.header.masked) ws::apply_mask(payload, parsed.header.mask_key);
    if (bytes[0] == std::byte{0x88} && payload.size() >= 2) {
      const auto byte = [&](int at) { return std::to_integer<unsigned>(payload[at]); };
      text += std::to_string((byte(0) << 8) | byte(1));
    } else if (is_own_ping(bytes[0], payload)) {
      text += "ours";
    } else {
      text += payload.size() > 40 ? std::to_string(payload.size()) : ws_test::text(payload);
    }
    bytes = bytes.subspan(size);
  }
  return text;
}

// Of the last ping of ours in these frames; empty where there is none, or it is not whole.
inline std::string last_own_ping(std::span<const std::byte> bytes, ws::Sender sender) {
  std::string last;
  while (!bytes.empty()) {
    const ws::ParsedHeader parsed = parse_any(bytes, sender);
    const std::size_t size = parsed.header_bytes + parsed.header.payload_bytes;
    if (parsed.header_bytes == 0 || size > bytes.size()) break;
    Buffer payload(bytes.begin() + parsed.header_bytes, bytes.begin() + static_cast<long>(size));
    if (parsed.header.masked) ws::apply_mask(payload, parsed.header.mask_key);
    if (is_own_ping(bytes[0], payload)) last = ws_test::text(payload);
    bytes = bytes.subspan(size);
  }
  return last;
}

inline std::size_t data_payload_bytes(std::span<const std::byte> bytes, ws::Sender sender) {
  std::size_t sum = 0;
  while (!bytes.empty()) {
    const ws::ParsedHeader parsed = parse_any(bytes, sender);
    const std::size_t size = parsed.header_bytes + parsed.header.payload_bytes;
    if (parsed.header_bytes == 0 || size > bytes.size()) break;
    if (!parsed.header.is_control()) sum += parsed.header.payload_bytes;
    bytes = bytes.subspan(size);
  }
  return sum;
}

class Stand final : private gateway::RelayOwner {
 public:
  explicit Stand(std::uint64_t seed, const gateway::RelayPolicy& allowed = {},
                 const ws::ScanRules& rules = {})
      : now_allowed(allowed), simulation(seed, {.window = 4096}), seconds_(simulation.loop.now()) {
    client_.adopt(simulation.kernel.open_stream(client));
    upstream_.adopt(simulation.kernel.open_stream(upstream));
    relay.emplace(simulation.loop, client_, upstream_, rules,
                  static_cast<gateway::RelayOwner&>(*this));
  }

  // With a client that compresses, and a server that does not.
  Stand(std::uint64_t seed, const gateway::TranslatedRules& rules) : Stand(seed) {
    relay.reset();
    relay.emplace(simulation.loop, client_, upstream_, rules,
                  static_cast<gateway::RelayOwner&>(*this));
  }
  ~Stand() {
    EXPECT_TRUE(story_.done());
    // Its owner may still say so; the links are gone, so nothing may be left to come.
    relay->stop({.reason = gateway::Reason::kStopping});
    EXPECT_FALSE(simulation.loop.timers().until_next(simulation.loop.now()).has_value());
    EXPECT_EQ(times_finished, 1u);
    simulation.expect_quiet();
  }

  // Before start(): its connection knows already that it has said something, or has gone.
  void notice_client() {
    client_noticed_ = false;
    client_.watch_input(noticed_, 1);
    until([&] { return client_noticed_; });
    client_.unwatch_input();
  }
  void start(const Buffer& behind_request = {}, const Buffer& behind_response = {}) {
    relay->start(behind_request, behind_response);
    story_ = story();
    story_.start();
  }

  void client_says(const Buffer& bytes) {
    client_unsent_.insert(client_unsent_.end(), bytes.begin(), bytes.end());
  }
  void upstream_says(const Buffer& bytes) {
    upstream_unsent_.insert(upstream_unsent_.end(), bytes.begin(), bytes.end());
  }

  bool has_said_all() const { return client_unsent_.empty(); }

  template <class Condition>
  void until(Condition condition) {
    EXPECT_TRUE(simulation.turn_until(condition, [&] { act(); }));
  }
  void until_client_got(const std::string& frames) {
    until([&] { return client_got() == frames; });
  }
  void until_upstream_got(const std::string& frames) {
    until([&] { return upstream_got() == frames; });
  }
  // Until the relay has ended and its links are closed.
  void until_done() {
    until([&] { return story_.done(); });
    act();
  }
  bool done() const { return story_.done(); }

  std::string client_got() const { return told(to_client_, ws::Sender::kServer); }
  std::string upstream_got() const { return told(to_upstream_, ws::Sender::kClient); }
  // Of data frames that are whole.
  std::size_t upstream_payload_bytes() const {
    return data_payload_bytes(to_upstream_, ws::Sender::kClient);
  }
  std::string ping_to_client() const { return last_own_ping(to_client_, ws::Sender::kServer); }
  std::string ping_to_upstream() const { return last_own_ping(to_upstream_, ws::Sender::kClient); }
  gateway::Reason reason() const { return relay->how_ended().reason; }
  double seconds() const {
    return std::chrono::duration<double>(simulation.loop.now() - seconds_).count();
  }

  gateway::RelayPolicy now_allowed;  // may change
  std::uint64_t inflated_bytes_max = 0;
  bool keeps_contexts = false;
  Simulation simulation;
  SimulatedKernel::Stream client;
  SimulatedKernel::Stream upstream;
  std::unique_ptr<gateway::Codecs> codecs;  // where the relay translates
  std::optional<gateway::Relay> relay;
  uring::BatchPool pool{0};
  std::vector<uring::Clock::time_point> reports;  // when
  bool client_reads = true;
  bool upstream_reads = true;
  unsigned times_finished = 0;  // of note_finished()

 private:
  gateway::RelayPolicy policy() override { return now_allowed; }
  void report() override { reports.push_back(simulation.loop.now()); }
  gateway::TranslationTerms translation() override {
    if (!codecs) codecs = std::make_unique<gateway::Codecs>(64 << 20);
    return {.agreement = {.server_no_context_takeover = !keeps_contexts,
                          .client_no_context_takeover = !keeps_contexts},
            .message_bytes_max = inflated_bytes_max,
            .codecs = *codecs,
            .kernel = simulation.kernel};
  }
  void note_uncompressed() override { ADD_FAILURE() << "there is memory"; }
  gateway::DetailText& detail() override { return detail_; }
  void note_finished() override {
    ++times_finished;
    finished_.set();
  }
  void on_noticed() { client_noticed_ = true; }
  void act() {
    play(*client, client_unsent_, to_client_, client_reads);
    play(*upstream, upstream_unsent_, to_upstream_, upstream_reads);
  }

  static void play(SimulatedStream& peer, Buffer& unsent, Buffer& got, bool reads) {
    const std::size_t taken = peer.write(unsent);
    unsent.erase(unsent.begin(), unsent.begin() + static_cast<long>(taken));
    if (!reads) return;
    const auto bytes = peer.read(1 << 20);
    got.insert(got.end(), bytes.begin(), bytes.end());
  }

  uring::Task<> story() {
    co_await finished_.wait();
    relay->stop_watching();
    for (gateway::Link* link : {&client_, &upstream_}) {
      link->clear_abort();
      link->write_end();
      co_await link->drained();
      co_await link->close();
    }
  }

  std::vector<std::byte> plaintext_ = std::vector<std::byte>(64 * 1024);
  uring::LinkResources resources_{simulation.loop, *simulation.buffers, pool, plaintext_};
  gateway::Link client_{resources_};
  gateway::Link upstream_{resources_};
  uring::Clock::time_point seconds_;
  uring::Event finished_{simulation.loop.ready()};
  uring::ReadyMember<&Stand::on_noticed> noticed_{*this};
  bool client_noticed_ = false;
  uring::Task<> story_;
  gateway::DetailText detail_;
  Buffer client_unsent_;
  Buffer upstream_unsent_;
  Buffer to_client_;
  Buffer to_upstream_;
};

}  // namespace relay_test
