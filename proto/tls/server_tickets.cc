// A server's tickets, as the library makes and takes them: sealed with keys that all shards share.
#include <cstring>

#include "proto/tls/ticket_keys.hh"
#include "proto/tls/wolf.hh"
// After the settings.
#include <wolfssl/internal.h>

namespace tls {
namespace {

// A resumed session's tickets count on from the nonce of the one that it came with, one byte, and
// after 255 the library fails the handshake (RFC 8446 section 4.6.1). A full handshake begins anew.
bool is_worn_out(const unsigned char* content) {
  InternalTicket ticket;
  std::memcpy(&ticket, content, sizeof ticket);
  return ticket.pv.minor == TLSv1_3_MINOR && ticket.ticketNonceLen > 0 &&
         ticket.ticketNonce[0] == 255;
}

}  // namespace

int Callbacks::ticket(WOLFSSL*, unsigned char* name, unsigned char* nonce, unsigned char* tag,
                      int sealing, unsigned char* text, int size, int* size_after, void* keys) {
  auto* const tickets = static_cast<TicketKeys*>(keys);
  const std::span<std::uint8_t> whole(text, static_cast<std::size_t>(size));
  *size_after = size;
  if (sealing != 0) {
    const bool sealed = tickets->seal(name, nonce, tag, whole);
    return sealed ? WOLFSSL_TICKET_RET_OK : WOLFSSL_TICKET_RET_REJECT;
  }
  // Under the key before the newest it is OK too: CREATE would refuse the resumption in TLS 1.3.
  const bool ours = size >= static_cast<int>(sizeof(InternalTicket)) &&
                    tickets->open(name, nonce, tag, whole) && !is_worn_out(text);
  return ours ? WOLFSSL_TICKET_RET_OK : WOLFSSL_TICKET_RET_REJECT;
}

}  // namespace tls
