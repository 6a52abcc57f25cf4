// The library's headers, for the .cc files of this folder alone: they define OpenSSL's names as
// macros, which nobody else should see. Beside them, what those files share.
#pragma once

#include <wolfssl/wolfcrypt/settings.h>
// The settings come first.
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/asn.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proto/tls/alert.hh"
#include "proto/tls/context.hh"
#include "proto/tls/name_table.hh"
#include "proto/tls/ocsp_response.hh"
#include "proto/tls/policy_names.hh"
#include "proto/tls/record/suite.hh"
#include "proto/tls/session.hh"
#include "proto/tls/ticket_keys.hh"

// X25519MLKEM768 has its final form and name from this version on.
#if LIBWOLFSSL_VERSION_HEX >= 0x05008000
#define TLS_HAS_MLKEM
#endif

// From this version on a server's OCSP response may come from elsewhere than a responder, without
// its issuer among the CAs that are trusted.
#if LIBWOLFSSL_VERSION_HEX >= 0x05009000
#define TLS_HAS_STAPLES
#endif

// The library's own: it is linked in whole. What it leaves unsaid is said with this, under whatever
// keys there are at that point. 0, or a negative error.
extern "C" int SendAlert(WOLFSSL* ssl, int severity, int type);

namespace tls {

// Readies the library for the process; cheap when it is ready. Called by whatever may be the first
// user.
void ready_library();

// What the callbacks of all sessions need: they are told apart by the Session in the library's own
// pointers.
struct Callbacks {
  static int receive(WOLFSSL* ssl, char* to, int size, void* session);
  static int send(WOLFSSL* ssl, char* sealed, int size, void* session);
  static int verify(int accepted, WOLFSSL_X509_STORE_CTX* store);
  static int verify_client(int accepted, WOLFSSL_X509_STORE_CTX* store);
  static int note_ticket(WOLFSSL* ssl, const unsigned char* ticket, int size, void* session);
  // Seals or opens a server's, with the TicketKeys.
  static int ticket(WOLFSSL* ssl, unsigned char* name, unsigned char* nonce, unsigned char* tag,
                    int sealing, unsigned char* text, int size, int* size_after, void* keys);
  // Gives the OCSP response that goes with the session's certificate, if there is one.
  static int staple(WOLFSSL* ssl, void*);
};

using Fingerprint = std::array<std::byte, 32>;  // SHA-256

// Whom server sessions ask for a certificate, and whose they take: one for all certificates of a
// set, and for all sets of a shard that do it alike.
struct ClientPolicy {
  static constexpr std::int64_t kForever = INT64_MAX;

  ClientPolicy() = default;
  ~ClientPolicy();
  ClientPolicy(const ClientPolicy&) = delete;
  ClientPolicy& operator=(const ClientPolicy&) = delete;

  // Once. An error text, or nothing.
  std::optional<std::string> load(const ClientCheck& check);
  // Sessions of this context ask.
  void ask(WOLFSSL_CTX* context) const;
  // After each step of a handshake. What a client has shown between its own certificate and the
  // CAs the library would keep among these, past the day when it expires, and without bound.
  void forget_intermediates() const;
  // Whether no more certificates are shown with the first one than may be.
  bool is_short_enough(const WOLFSSL_X509_STORE_CTX& shown) const;
  // Of those between the first one, at which the library looks, and a CA: why one is as good as
  // revoked. 0: none is.
  int flaw_between(const WOLFSSL_X509_STORE_CTX& shown) const;

  WOLFSSL_CERT_MANAGER* authorities = nullptr;
  std::vector<const void*> loaded;  // the first of each of its lists
  bool required = true;
  bool tells = false;
  unsigned depth = ClientCheck::kDepthMax;
  std::vector<Fingerprint> own;       // of the CAs
  std::int64_t lists_end = kForever;  // of the first list of revoked ones; seconds since 1970
  TicketBinding binding{};            // differs for each other policy

 private:
  std::optional<std::string> load_lists(const std::string& pem);
  bool is_own(const WOLFSSL_BUFFER_INFO& certificate) const;
};

// What the server sessions with one certificate share; sets that have the same one do, too.
struct ServerContext {
  ServerContext() = default;
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // Once, last of all. An error text, or nothing.
  std::optional<std::string> take_staple(const Pem& pem);
  // Before the library reads a hello for this context.
  void offer_staple() const;
  // It resumes a TLS 1.2 session, whose ServerHello must not speak of one (RFC 6066 section 1.1).
  void withdraw_staple(WOLFSSL* ssl) const;
  // Behind the handshake: the library would keep what its client has asked for, and said of it.
  void forget_staple(WOLFSSL* ssl) const;
  bool has_staple_to_show() const;

  WOLFSSL_CTX* context = nullptr;  // owned; sessions hold a count of it
  std::vector<std::string> names;  // its alternative ones
  std::string staple;              // in DER; empty: none
  OcspStatus staple_status;
  std::shared_ptr<const ClientPolicy> clients;  // null: nobody is asked
};

// A set. It lives as long as its ServerContexts, or a session that has not chosen yet.
struct Certificates {
  // That which serves this name.
  const Certificates& for_name(std::string_view name) const {
    const std::size_t policy = policy_names.find(name);
    return policy == 0 ? *this : *policies[policy - 1];
  }

  std::vector<std::shared_ptr<const ServerContext>> contexts;
  NameTable names;
  std::vector<std::shared_ptr<const Certificates>> policies;  // of names with terms of their own
  PolicyNames policy_names;                                   // their places there, from 1 on
};

// Where the session's context has a KeyLog: its secrets go there, until its handshake is done.
void log_secrets_of(WOLFSSL* ssl);
void end_log_of_secrets(WOLFSSL* ssl);

// ALPN: one of these, or no session.
bool use_protocols(WOLFSSL* ssl, const std::string& list);

// What TLS servers agree on here, the best first (RFC 8446 section 4.2.7).
std::span<const std::uint16_t> groups_of_servers();

// A client's: the library's session out of the body of a NewSessionTicket (RFC 8446 section 4.6.1),
// and of the connection on which it came. Null: it cannot be used.
std::shared_ptr<WOLFSSL_SESSION> session_of_ticket(proto::Bytes body, const record::Suite& suite,
                                                   std::uint16_t group, proto::Bytes resumption);

// The text of a library error.
std::string_view reason_for(int code);

// The reason for a library error, with the alert that went or came with it.
Error describe_error(WOLFSSL* ssl, int code, bool peer_is_server);

// What to tell the peer of a library error of which the library tells it nothing.
AlertCode alert_for(int code);

// Whether the certificate (DER) is for `name`: a DNS name (RFC 6125 section 6.4: a wildcard only as
// the whole leftmost label) or an IP address. Only alternative names count, not the common name.
bool certificate_is_for(const unsigned char* der, unsigned size, const std::string& name);

// 4 or 16 bytes when `name` is an IP address, else empty.
std::string address_bytes(const std::string& name);

}  // namespace tls
