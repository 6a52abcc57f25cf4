// Hostile records, and what a peer that has the keys may put into them. The first byte says which
// role and suite; then come steps: what to do, a length, and so many bytes. Two layers, each with
// another implementation of the ciphers, are told the same in pieces of different sizes, and one
// of them moves now and then: both must say and give the same, and keep to the contract.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proto/tls/record/layer.hh"
#include "proto/tls/record_buffers.hh"
#include "tests/fuzz/require.hh"
#include "tests/proto/tls/record/hand.hh"

using fuzz::require;

namespace {

using namespace tls::record;
using namespace tls::record::test;
using Status = tls::Progress::Status;

constexpr std::size_t kAnswersMax = 512;

struct Wire final : tls::Sink {
  Buffer bytes;
  void append(proto::Bytes sealed) override {
    require(!sealed.empty(), "nothing is appended");
    bytes.insert(bytes.end(), sealed.begin(), sealed.end());
  }
};

struct End {
  KeyCache keys;
  tls::RecordBuffers buffers;
  std::unique_ptr<Layer> layer;
  Wire wire;
  std::string received;
  std::vector<Buffer> tickets;

  End(const Aead& aead, const Suite& suite, Role role) : keys(aead) {
    const bool is_client = role == Role::kClient;
    const Traffic up{secret_number(suite, 1), 0};
    const Traffic down{secret_number(suite, 2), 0};
    layer = std::make_unique<Layer>(suite, role, is_client ? up : down, is_client ? down : up,
                                    is_client ? secret_number(suite, 3) : Secret{},
                                    Resources{keys, buffers});
  }

  void check(Status status, bool is_consumed) {
    require(status == Status::kPlaintext || is_consumed, "all was consumed");
    require((status == Status::kFailed) == layer->failed(), "a failure is told");
    require(layer->held() <= 17 * 1024, "little is held");
    if (status == Status::kFailed) require(!layer->error().text().empty(), "it has a reason");
  }
  void feed(proto::Bytes bytes, std::size_t piece, std::size_t room) {
    Buffer plaintext(room);
    do {
      proto::Bytes part = bytes.first(std::min(piece, bytes.size()));
      bytes = bytes.subspan(part.size());
      Status status = Status::kPlaintext;
      while (status == Status::kPlaintext) {
        const std::size_t before = wire.bytes.size();
        const tls::Progress progress = layer->open(part, plaintext, wire);
        status = progress.status;
        require(wire.bytes.size() - before <= kAnswersMax, "answers are bounded");
        require(progress.plaintext <= room, "plaintext fits");
        received += proto::as_text({plaintext.data(), progress.plaintext});
        check(status, part.empty());
      }
      take_ticket();
    } while (!bytes.empty());
  }
  // Only the newest of a call is kept, and how much a call is given differs.
  void take_ticket() {
    Buffer ticket = layer->take_ticket();
    if (!ticket.empty()) tickets.push_back(std::move(ticket));
  }
  void move() {
    Buffer image;
    if (!layer->export_to(image)) return;
    auto made = Layer::import_from(image, {keys, buffers});
    require(made.has_value(), "what was exported is imported");
    layer = std::move(*made);
  }
};

struct Step {
  unsigned what;
  proto::Bytes bytes;
};

// The next step of `input`, which is not empty.
Step next_step(proto::Bytes& input) {
  Step step{static_cast<unsigned>(input[0]), {}};
  const std::size_t size = input.size() > 1 ? static_cast<std::size_t>(input[1]) : 0;
  input = input.subspan(std::min<std::size_t>(2, input.size()));
  step.bytes = input.first(std::min(size, input.size()));
  input = input.subspan(step.bytes.size());
  return step;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Suite& suite = *find_suite(static_cast<std::uint16_t>(0x1301 + (data[0] >> 1) % 3));
  const Role role = (data[0] & 1) != 0 ? Role::kClient : Role::kServer;
  const std::size_t piece = 1 + (data[0] >> 3);
  End one(wolfcrypt_aead(), suite, role);
  End other(fastest_aead(), suite, role);
  Hand hand(suite, secret_number(suite, role == Role::kClient ? 2 : 1));
  proto::Bytes input = std::as_bytes(std::span(data + 1, size - 1));
  while (!input.empty()) {
    const Step step = next_step(input);
    Buffer sealed;
    switch (step.what % 8) {
      case 0:  // as it is
        sealed.assign(step.bytes.begin(), step.bytes.end());
        break;
      case 1:  // inside a record, type and padding included
        sealed = hand.raw(step.bytes);
        break;
      case 2:
        sealed = hand.record(22, step.bytes);
        break;
      case 3:
        sealed = hand.record(23, step.bytes, step.what >> 3);
        break;
      case 4:
        sealed = hand.key_update(step.what >> 3 & 1);
        break;
      case 5:
        hand.advance();  // behind a KeyUpdate of its own making
        break;
      case 6:
        for (End* const end : {&one, &other}) {
          if (step.bytes.empty()) end->layer->rekey(end->wire);
          end->layer->seal(step.bytes, end->wire);
          if ((step.what & 0x80) != 0) end->layer->close(end->wire);
        }
        break;
      case 7:
        other.move();
        break;
    }
    if (sealed.empty()) continue;
    one.feed(sealed, sealed.size(), Layer::kOpenRoom);
    other.feed(sealed, piece, 1 + (step.what >> 3));
    require(one.received == other.received, "both give the same");
    require(one.wire.bytes == other.wire.bytes, "both say the same");
    require(one.layer->failed() == other.layer->failed(), "both fail, or none");
    require(one.layer->error().reason == other.layer->error().reason, "for the same reason");
    require(one.tickets.empty() == other.tickets.empty() &&
                (one.tickets.empty() || one.tickets.back() == other.tickets.back()),
            "both have the same ticket");
  }
  if (!one.layer->failed()) return 0;
  const std::size_t said = one.wire.bytes.size();
  one.layer->seal(proto::as_bytes("after"), one.wire);
  one.layer->close(one.wire);
  require(one.wire.bytes.size() == said, "a dead layer is silent");
  return 0;
}
