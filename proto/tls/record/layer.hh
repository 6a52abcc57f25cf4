// The records of an established TLS 1.3 connection (RFC 8446 section 5), either role, as a value:
// two secrets, two keys, two numbers and a little state. No handshake, no library's object, no I/O:
// sealed bytes become plaintext (open), plaintext becomes sealed bytes (seal).
//
//   open:  read -> [gathered, where a record is split] -> opened -> content: data, alert, message
//   seal:  plaintext -> where the sink wants it
//
// It can be written to bytes and made again elsewhere (export_to, import_from), in mid-stream too.
// Invariants: nothing of a record is handed out before its tag was checked; no number is used twice
// under a key; once it has failed, or was exported, it has no secret left and says nothing more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "proto/bytes.hh"
#include "proto/tls/alert.hh"
#include "proto/tls/progress.hh"
#include "proto/tls/record/key_cache.hh"
#include "proto/tls/record/key_schedule.hh"
#include "proto/tls/record/suite.hh"

namespace tls {
class RecordBuffers;
}

namespace tls::record {

enum class Role : std::uint8_t { kServer, kClient };

// One direction: the secret, and the number of the next record under it.
struct Traffic {
  Secret secret;
  std::uint64_t sequence = 0;
};

// A shard's, and outlive all layers.
struct Resources {
  KeyCache& keys;
  RecordBuffers& buffers;
};

class Layer {
 public:
  static constexpr std::size_t kHeaderSize = 5;
  static constexpr std::size_t kPlaintextMax = 16384;
  // What a record has besides its plaintext: header, type, tag.
  static constexpr std::size_t kExpansion = kHeaderSize + 1 + kTagSize;
  // With so much room in `plaintext_to`, every record is opened where its plaintext is wanted.
  static constexpr std::size_t kOpenRoom = kPlaintextMax + 1;
  // RFC 8446 section 5.5 allows 2^24.5 records under one AES-GCM key.
  static constexpr std::uint64_t kRekeyAfter = std::uint64_t{1} << 24;

  // `resumption`: the resumption master secret, of a client that takes tickets; else empty.
  Layer(const Suite& suite, Role role, const Traffic& sealing, const Traffic& opening,
        const Secret& resumption, Resources resources);
  ~Layer();
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // Takes from the front of `ciphertext`, hands out at most one record's plaintext: see
  // Session::open, whose contract is the same.
  Progress open(proto::Bytes& ciphertext, proto::MutableBytes plaintext_to, Sink& to_peer);

  // In records of at most 16 KiB. Where it is a single one, the plaintext may lie where the sink
  // puts the sealed bytes; best kHeaderSize behind their beginning.
  void seal(proto::Bytes plaintext, Sink& to_peer);
  // KeyUpdate (section 4.6.3); asks the peer to do the same, unless it has been asked already.
  void rekey(Sink& to_peer);
  // close_notify, at most once. Opening goes on.
  void close(Sink& to_peer);

  bool failed() const { return state_ != State::kOpen; }
  const Error& error() const { return error_; }
  bool close_received() const { return close_received_; }

  // Bytes of an incomplete record, or of one that was handed out in part.
  std::size_t held() const;

  const Suite& suite() const { return suite_; }
  Role role() const { return role_; }
  // Empty, of a server.
  proto::Bytes resumption_secret() const;
  // Client role: the body of the newest NewSessionTicket since the last call; empty: none came.
  std::vector<std::byte> take_ticket();

  // Appends all that it is, and leaves it without. What was not given to open() yet is the
  // caller's, as is a ticket that was not taken. False: it has failed.
  bool export_to(std::vector<std::byte>& to);
  // `bytes` are wiped. The error says what is wrong with them.
  static std::expected<std::unique_ptr<Layer>, std::string_view> import_from(
      proto::MutableBytes bytes, Resources resources);

 private:
  enum class State : std::uint8_t { kOpen, kFailed };
  enum class ContentType : std::uint8_t { kAlert = 21, kHandshake = 22, kData = 23 };
  enum class Found : std::uint8_t { kNothing, kData, kEnd };

  struct Direction {
    Secret secret;
    TrafficKey key;
    std::uint64_t sequence;
    KeyCache::Mark mark;
  };

  // What is kept between two calls: the beginning of a record, or an opened one's end.
  struct Kept {
    std::byte* memory = nullptr;  // of the buffers
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  // What only a client has.
  struct Tickets {
    Secret resumption;
    std::vector<std::byte> newest;
  };

  // Of a message after the handshake that is not whole.
  struct BegunMessage {
    std::vector<std::byte> bytes;
    std::uint32_t to_skip = 0;  // instead, where it is too long to be of use
  };

  void start(Direction& direction, const Traffic& traffic);
  void advance(Direction& direction);
  void wipe();

  // layer_open.cc
  proto::Bytes next_record(proto::Bytes& from, std::optional<Refusal>& flaw);
  bool gather_header(proto::Bytes& from, std::optional<Refusal>& flaw);
  Found open_record(proto::Bytes record, std::byte* to, proto::Bytes& content, Sink& to_peer);
  Found take_data();
  Found take_alert(proto::Bytes content, Sink& to_peer);
  bool take_memory(std::size_t bytes, Kept& kept);
  void give_back(Kept& kept);
  Progress hand_out(proto::MutableBytes plaintext_to);
  Found refuse(std::string_view reason, AlertCode alert, Sink& to_peer);

  // layer_messages.cc
  Found take_messages(proto::Bytes content, Sink& to_peer);
  std::optional<Refusal> flaw_in(proto::Bytes header) const;
  bool within_message() const { return begun_ != nullptr; }
  Found take_message(proto::Bytes message, bool is_last, Sink& to_peer);
  Found take_key_update(proto::Bytes message, bool is_last, Sink& to_peer);

  // Whether more of it may come.
  bool is_begun_message(proto::Bytes message) const;

  // layer_image.cc
  static std::expected<std::unique_ptr<Layer>, std::string_view> read_image(proto::Bytes bytes,
                                                                            Resources resources);
  bool take_kept(proto::Bytes record, proto::Bytes message, std::uint32_t to_skip,
                 proto::Bytes plaintext);

  void seal_record(ContentType type, proto::Bytes content, Sink& to_peer);
  void send_key_update(bool request, Sink& to_peer);
  // By a record of data, of either side.
  void pay_for_update() {
    if (updates_unpaid_ > 0) --updates_unpaid_;
  }

  const Suite& suite_;
  const Resources resources_;
  Direction sealing_;
  Direction opening_;
  std::unique_ptr<Tickets> tickets_;             // of a client
  Kept gathered_;                                // a record, header included
  Kept plaintext_;                               // not handed out yet
  std::array<std::byte, kHeaderSize> header_{};  // gathered before there is memory
  std::uint8_t header_size_ = 0;
  std::unique_ptr<BegunMessage> begun_;
  Error error_;
  std::uint8_t updates_unpaid_ = 0;  // KeyUpdates that no data has paid for
  std::uint8_t empty_records_ = 0;   // in a row
  std::uint8_t warnings_ = 0;        // alerts that end nothing
  const Role role_;
  State state_ = State::kOpen;
  bool close_sent_ = false;
  bool close_received_ = false;
  bool update_requested_ = false;  // of the peer, which has not answered
};

}  // namespace tls::record
