// The secrets of sessions: of TLS 1.3 each when the library has made it, of TLS 1.2 the master
// secret when the handshake is done, since one that is resumed makes none.
#include "proto/tls/key_log.hh"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "proto/tls/record_buffers.hh"
#include "proto/tls/wolf.hh"
// After the settings.
#include <wolfssl/internal.h>

namespace tls {
namespace {

constexpr std::size_t kRandomBytes = 32;

class Line {
 public:
  ~Line() { explicit_bzero(text_.data(), text_.size()); }

  void add(std::string_view text) {
    const std::size_t size = std::min(text.size(), text_.size() - size_);
    text.copy(&text_[size_], size);
    size_ += size;
  }
  void add_hex(std::span<const unsigned char> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const unsigned char byte : bytes) {
      const char pair[] = {kDigits[byte >> 4], kDigits[byte & 15]};
      add({pair, sizeof pair});
    }
  }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, KeyLog::kLineBytesMax> text_;
  std::size_t size_ = 0;
};

void log_secret(const WOLFSSL* ssl, std::string_view label, const void* secret, int size,
                void* log) {
  unsigned char random[kRandomBytes];
  if (size <= 0 || wolfSSL_get_client_random(ssl, random, sizeof random) != sizeof random) return;
  Line line;
  line.add(label);
  line.add(" ");
  line.add_hex(random);
  line.add(" ");
  line.add_hex({static_cast<const unsigned char*>(secret), static_cast<std::size_t>(size)});
  static_cast<KeyLog*>(log)->take(line.text());
}

std::string_view label_of(int secret) {
  switch (secret) {
    case CLIENT_HANDSHAKE_TRAFFIC_SECRET:
      return "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
    case SERVER_HANDSHAKE_TRAFFIC_SECRET:
      return "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    case CLIENT_TRAFFIC_SECRET:
      return "CLIENT_TRAFFIC_SECRET_0";
    case SERVER_TRAFFIC_SECRET:
      return "SERVER_TRAFFIC_SECRET_0";
    case EXPORTER_SECRET:
      return "EXPORTER_SECRET";
    default:
      return {};
  }
}

int note_traffic_secret(WOLFSSL* ssl, int kind, const unsigned char* secret, int size, void* log) {
  if (const std::string_view label = label_of(kind); !label.empty())
    log_secret(ssl, label, secret, size, log);
  return 0;
}

}  // namespace

void log_secrets_of(WOLFSSL* ssl) {
  KeyLog* const log = RecordBuffers::key_log_in(ssl->heap);
  if (log == nullptr) return;
  wolfSSL_set_tls13_secret_cb(ssl, note_traffic_secret, log);
  // Else the library makes no exporter secret, and forgets the others too early.
  wolfSSL_KeepArrays(ssl);
}

void end_log_of_secrets(WOLFSSL* ssl) {
  if (ssl->tls13SecretCb != note_traffic_secret) return;
  if (ssl->version.minor == TLSv1_2_MINOR && ssl->arrays != nullptr)
    log_secret(ssl, "CLIENT_RANDOM", ssl->arrays->masterSecret, SECRET_LEN, ssl->tls13SecretCtx);
  wolfSSL_FreeArrays(ssl);
}

}  // namespace tls
