// What a client resumes with, out of the ticket that came on a connection that the library has let
// go of: a session as the library would have made it itself, which derives the key from its secret
// and the ticket's nonce when it is used. So this needs its inner header.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "proto/tls/record/new_session_ticket.hh"
#include "proto/tls/wolf.hh"
// After the settings.
#include <wolfssl/internal.h>

// Before this version it cannot copy a session, and would not resume with its cache off.
#if LIBWOLFSSL_VERSION_HEX >= 0x05009000
#define TLS_RESUMES
#endif

namespace tls {

#ifdef TLS_RESUMES
namespace {

// RFC 8446 section 4.6.1: whatever the server says.
constexpr std::uint32_t kLifetimeMax_s = 7 * 24 * 3600;

void copy(proto::Bytes from, void* to) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

// As the library keeps it: within the session where it is short enough.
bool take_ticket(WOLFSSL_SESSION& session, proto::Bytes ticket) {
  if (ticket.size() > sizeof session.staticTicket) {
    // What the library frees with it comes from malloc: see record_memory.h.
    session.ticket = static_cast<byte*>(std::malloc(ticket.size()));
    if (session.ticket == nullptr) return false;
    session.ticketLenAlloc = static_cast<word16>(ticket.size());
  }
  session.ticketLen = static_cast<word16>(ticket.size());
  copy(ticket, session.ticket);
  // Something to tell it by.
  copy(ticket.last(std::min<std::size_t>(ticket.size(), ID_LEN)), session.sessionID);
  session.sessionIDSz = ID_LEN;
  return true;
}

}  // namespace

std::shared_ptr<WOLFSSL_SESSION> session_of_ticket(proto::Bytes body, const record::Suite& suite,
                                                   std::uint16_t group, proto::Bytes resumption) {
  const auto read = record::read_ticket(body);
  if (!read || read->lifetime_s == 0 || read->nonce.size() > MAX_TICKET_NONCE_STATIC_SZ ||
      resumption.size() != suite.secret_size) {
    return {};
  }
  std::shared_ptr<WOLFSSL_SESSION> made(wolfSSL_SESSION_new(), wolfSSL_SESSION_free);
  if (made == nullptr || !take_ticket(*made, read->ticket)) return {};
  made->side = WOLFSSL_CLIENT_END;
  made->bornOn = LowResTimer();
  made->timeout = std::min(read->lifetime_s, kLifetimeMax_s);
  copy(resumption, made->masterSecret);
  made->haveEMS = 1;
  made->version = {SSLv3_MAJOR, TLSv1_3_MINOR};
  made->cipherSuite0 = static_cast<byte>(suite.id >> 8);
  made->cipherSuite = static_cast<byte>(suite.id);
  made->namedGroup = group;
  made->ticketSeen = TimeNowInMilliseconds();
  made->ticketAdd = read->age_add;
  made->ticketNonce.len = static_cast<byte>(read->nonce.size());
  copy(read->nonce, made->ticketNonce.data);
  made->isSetup = 1;
  return made;
}
#else
std::shared_ptr<WOLFSSL_SESSION> session_of_ticket(proto::Bytes, const record::Suite&,
                                                   std::uint16_t, proto::Bytes) {
  return {};
}
#endif

}  // namespace tls
