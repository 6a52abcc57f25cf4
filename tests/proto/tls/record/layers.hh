// Two layers that face each other in memory.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "proto/tls/record/layer.hh"
#include "proto/tls/record_buffers.hh"
#include "tests/proto/tls/record/hand.hh"
#include "tests/proto/tls/record/hex.hh"

namespace tls::record::test {

using Status = Progress::Status;

struct Wire final : Sink {
  Buffer bytes;
  std::size_t appends = 0;
  void append(proto::Bytes sealed) override {
    bytes.insert(bytes.end(), sealed.begin(), sealed.end());
    ++appends;
  }
  Buffer take() { return std::exchange(bytes, {}); }
};

struct End {
  std::unique_ptr<Layer> layer;
  Wire wire;
  std::string received;
  Status status = Status::kWantInput;

  Status open(proto::Bytes bytes, std::size_t room = Layer::kOpenRoom) {
    Buffer plaintext(room);
    while (true) {
      const Progress progress = layer->open(bytes, plaintext, wire);
      status = progress.status;
      if (status != Status::kPlaintext) break;
      received += proto::as_text({plaintext.data(), progress.plaintext});
    }
    EXPECT_TRUE(bytes.empty());
    return status;
  }
  void seal(std::string_view text) { layer->seal(proto::as_bytes(text), wire); }
};

inline Buffer image_of(End& end) {
  Buffer image;
  EXPECT_TRUE(end.layer->export_to(image));
  return image;
}

inline void move(End& end, Resources resources) {
  Buffer image = image_of(end);
  auto made = Layer::import_from(image, resources);
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(image, Buffer(image.size())) << "it is wiped";
  end.layer = std::move(*made);
}

constexpr std::uint16_t kSuiteIds[] = {0x1301, 0x1302, 0x1303};

struct Facing {
  const Suite& suite;
  KeyCache keys;
  RecordBuffers buffers;
  const Secret to_server = secret_number(suite, 1);
  const Secret to_client = secret_number(suite, 2);
  End server;
  End client;
  Hand client_hand{suite, to_server};
  Hand server_hand{suite, to_client};

  explicit Facing(std::uint16_t id = 0x1301, std::uint64_t sequence = 0,
                  const Aead& aead = fastest_aead())
      : suite(*find_suite(id)), keys(aead) {
    const Traffic up{to_server, sequence};
    const Traffic down{to_client, sequence};
    server.layer = std::make_unique<Layer>(suite, Role::kServer, down, up, Secret{}, resources());
    client.layer = std::make_unique<Layer>(suite, Role::kClient, up, down, secret_number(suite, 3),
                                           resources());
  }
  Resources resources() { return {keys, buffers}; }
  void run() {
    while (!client.wire.bytes.empty() || !server.wire.bytes.empty()) {
      server.open(client.wire.take());
      client.open(server.wire.take());
    }
  }
};

}  // namespace tls::record::test
