// A server's tickets, as the library makes and takes them: sealed with keys that all shards share,
// and bound to what let the client in. Where clients are asked for a certificate, the content is
// followed by the time until which that is valid: else such a client would come in for ever, from
// one ticket to the next.
#include <cstring>
#include <ctime>

#include "proto/tls/session_pending.hh"
// After the settings.
#include <wolfssl/internal.h>

namespace tls {
namespace {

using ValidUntil = std::int64_t;

// A resumed session's tickets count on from the nonce of the one that it came with, one byte, and
// after 255 the library fails the handshake (RFC 8446 section 4.6.1). A full handshake begins anew.
bool is_worn_out(const unsigned char* content) {
  InternalTicket ticket;
  std::memcpy(&ticket, content, sizeof ticket);
  return ticket.pv.minor == TLSv1_3_MINOR && ticket.ticketNonceLen > 0 &&
         ticket.ticketNonce[0] == 255;
}

// The library would shake hands in full then, when the staple has been withdrawn.
bool is_too_old(WOLFSSL* ssl, const unsigned char* content) {
  InternalTicket ticket;
  std::memcpy(&ticket, content, sizeof ticket);
  word32 born = 0;  // the first four bytes, also where there are more for TLS 1.3
  for (int at = 0; at < 4; ++at) born = born << 8 | ticket.timestamp[at];
  return LowResTimer() > born + static_cast<word32>(wolfSSL_get_timeout(ssl));
}

}  // namespace

int Callbacks::ticket(WOLFSSL* ssl, unsigned char* name, unsigned char* nonce, unsigned char* tag,
                      int sealing, unsigned char* text, int size, int* size_after, void* keys) {
  auto* const tickets = static_cast<TicketKeys*>(keys);
  const auto* const session = static_cast<Session*>(wolfSSL_GetIOReadCtx(ssl));
  if (session->pending_ == nullptr) return WOLFSSL_TICKET_RET_REJECT;
  Session::Pending& pending = *session->pending_;
  const ClientPolicy* const clients = pending.context->clients.get();
  const TicketBinding binding = clients != nullptr ? clients->binding : TicketBinding{};
  const int extra = clients != nullptr ? static_cast<int>(sizeof(ValidUntil)) : 0;
  std::span<std::uint8_t> whole(text, static_cast<std::size_t>(size));
  if (sealing != 0) {
    if (*size_after < size + extra) return WOLFSSL_TICKET_RET_REJECT;
    *size_after = size + extra;
    if (extra > 0) std::memcpy(text + size, &pending.valid_until, sizeof(ValidUntil));
    whole = {text, static_cast<std::size_t>(*size_after)};
    const bool sealed = tickets->seal(name, nonce, tag, whole, binding);
    return sealed ? WOLFSSL_TICKET_RET_OK : WOLFSSL_TICKET_RET_REJECT;
  }
  // Under the key before the newest it is OK too: CREATE would refuse the resumption in TLS 1.3.
  if (size < extra || !tickets->open(name, nonce, tag, whole, binding))
    return WOLFSSL_TICKET_RET_REJECT;
  *size_after = size - extra;
  if (*size_after < static_cast<int>(sizeof(InternalTicket)) || is_worn_out(text))
    return WOLFSSL_TICKET_RET_REJECT;
  if (extra > 0) {
    std::memcpy(&pending.valid_until, text + *size_after, sizeof(ValidUntil));
    if (pending.valid_until < std::time(nullptr)) return WOLFSSL_TICKET_RET_REJECT;
  }
  if (pending.version == Version::k12) {
    if (is_too_old(ssl, text)) return WOLFSSL_TICKET_RET_REJECT;
    pending.context->withdraw_staple(ssl);
  }
  return WOLFSSL_TICKET_RET_OK;
}

}  // namespace tls
