// Tickets and whom they help: a client of the library's own, since ours always takes them.
#include <wolfssl/wolfcrypt/settings.h>
// The settings come first.
#include <wolfssl/ssl.h>

#include <cstring>

#include "tests/proto/tls/peers.hh"

namespace tls::test {
namespace {

struct Client {
  explicit Client(bool with_exchange) {
    wolfSSL_Init();
    context = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
    wolfSSL_CTX_SetIORecv(context, receive);
    wolfSSL_CTX_SetIOSend(context, send);
    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_NONE, nullptr);
    if (!with_exchange) wolfSSL_CTX_no_dhe_psk(context);
    ssl = wolfSSL_new(context);
    wolfSSL_SetIOReadCtx(ssl, this);
    wolfSSL_SetIOWriteCtx(ssl, this);
  }
  ~Client() {
    wolfSSL_free(ssl);
    wolfSSL_CTX_free(context);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  static int receive(WOLFSSL*, char* to, int size, void* self) {
    std::string& from = static_cast<Client*>(self)->from_server;
    const std::size_t taken = from.copy(to, static_cast<std::size_t>(size));
    from.erase(0, taken);
    return taken > 0 ? static_cast<int>(taken) : WOLFSSL_CBIO_ERR_WANT_READ;
  }
  static int send(WOLFSSL*, char* from, int size, void* self) {
    static_cast<Client*>(self)->to_server.append(from, static_cast<std::size_t>(size));
    return size;
  }

  WOLFSSL_CTX* context;
  WOLFSSL* ssl;
  std::string to_server;
  std::string from_server;
};

TEST(TlsTickets, GoOnlyToClientsThatCanUseThem) {
  for (const bool with_exchange : {true, false}) {
    Pair pair;
    Client client(with_exchange);
    while (wolfSSL_connect(client.ssl) != WOLFSSL_SUCCESS && !client.to_server.empty()) {
      pair.server.open(proto::as_bytes(std::exchange(client.to_server, {})));
      const auto said = pair.server.wire.take();
      client.from_server = proto::as_text(said);
    }
    ASSERT_FALSE(pair.server.session->failed()) << pair.server.session->error().text();
    pair.server.open(proto::as_bytes(client.to_server));
    ASSERT_TRUE(pair.server.session->handshake_done());
    EXPECT_EQ(!pair.server.wire.bytes.empty(), with_exchange) << "behind the client's Finished";
  }
}

}  // namespace
}  // namespace tls::test
