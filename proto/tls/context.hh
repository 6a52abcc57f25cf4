// What the sessions of one shard share: certificates, suites, groups, a random generator.
// Made, used and freed on its thread; sessions keep alive what they need, so a set may go before
// them. Record buffers are one for all sets of a shard, where it has some; they outlive all
// sessions. Only the ticket keys are shared between shards. Loading errors are values whose text
// names what is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proto/memory_counter.hh"

struct WOLFSSL_CTX;

namespace tls {

class RecordBuffers;
class TicketKeys;
struct Certificates;
struct ClientPolicy;
struct ServerContext;

// A certificate chain, leaf first, and its private key; both PEM text.
struct Pem {
  std::string chain;
  std::string key;
  // An OCSP response for the leaf, in DER, as staple.hh reads it: clients that ask for one
  // (status_request) are shown it while it is valid. Empty: there is none.
  std::string staple = {};

  bool operator==(const Pem&) const = default;
};

// Clients are asked for a certificate, too; one that is shown has to be good: signed by one of
// these CAs, valid now, for this use, and with no more than `depth` others.
struct ClientCheck {
  static constexpr unsigned kDepthMax = 3;  // the library's

  std::string ca;        // PEM, one or several
  bool required = true;  // else a client without one is let in
  // Sessions tell what the certificate says. A ticket has no room for that: they get none.
  bool tells = false;
  // So many may be shown with it, those of `ca` not counted: 0 to kDepthMax.
  unsigned depth = kDepthMax;
  // Lists of revoked certificates, PEM, one or several; empty: nobody asks. Else there has to be a
  // valid one of whoever has signed a certificate that is shown, and it has to be one of `ca`.
  std::string crl = {};

  bool operator==(const ClientCheck&) const = default;
};

// A client gets the certificate that has the server name it asks for among its alternative names,
// an exact one before a wildcard; the first one without a name, or with one that none has.
class ServerContexts {
 public:
  // All of them at once. `tickets` outlives all sessions of the set.
  static std::expected<std::unique_ptr<ServerContexts>, std::string> load(
      std::span<const Pem> certificates, TicketKeys& tickets, RecordBuffers* buffers = nullptr,
      const ClientCheck* clients = nullptr);

  // Or one after the other, since each takes a while; sessions are for when all are there.
  explicit ServerContexts(TicketKeys& tickets, RecordBuffers* buffers = nullptr);
  ~ServerContexts();
  ServerContexts(const ServerContexts&) = delete;
  ServerContexts& operator=(const ServerContexts&) = delete;

  // Before the first certificate; the second: as `other` does, and with what it has for that.
  std::expected<void, std::string> check_clients(const ClientCheck& clients);
  void check_clients_like(const ServerContexts& other);

  std::expected<void, std::string> add(const Pem& certificate);
  // The same as `other` has at that place, and shared with it. Both are of the same shard, and
  // check clients alike.
  void add(const ServerContexts& other, std::size_t index);
  // Clients that ask for one of these names, as PolicyNames has it, get what `other` has instead:
  // its certificates, and its check. Both are of the same shard.
  void add_policy(std::span<const std::string> names, const ServerContexts& other);
  std::size_t size() const;
  // Whether it shares that one with `other`.
  bool shares(const ServerContexts& other, std::size_t index) const;

 private:
  friend class Session;

  void append(std::shared_ptr<const ServerContext> context);

  TicketKeys& tickets_;
  RecordBuffers* const buffers_;
  const std::shared_ptr<Certificates> certificates_;
  std::shared_ptr<const ClientPolicy> clients_;  // null: nobody is asked
};

enum class Version : std::uint8_t { k12, k13 };

struct ClientOptions {
  bool verify = true;  // the chain, and that the certificate is for the server's name
  std::string ca;      // PEM, one or several; needed to verify
  std::vector<std::string> protocols = {"http/1.1"};  // ALPN, preferred first; none: no extension
  Version version_max = Version::k13;
  // "X25519MLKEM768", "X25519", "P-256", "P-384", "P-521"; empty: all there are.
  std::vector<std::string> groups;
  std::string suites;    // in the library's names; empty: all that are AEAD
  Pem certificate = {};  // for servers that ask for one; without a chain there is none
};

class ClientContext {
 public:
  static std::expected<std::unique_ptr<ClientContext>, std::string> load(
      const ClientOptions& options, RecordBuffers* buffers = nullptr);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

 private:
  friend class Session;
  ClientContext() = default;

  WOLFSSL_CTX* context_ = nullptr;
  const proto::MemoryCounter* account_ = nullptr;  // of its buffers
  ClientOptions options_;
  std::vector<std::uint16_t> key_shares_;  // sent with the first hello: TLS 1.3
};

}  // namespace tls
