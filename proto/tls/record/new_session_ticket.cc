#include "proto/tls/record/new_session_ticket.hh"

#include "proto/tls/cursor.hh"

namespace tls::record {

std::optional<NewSessionTicket> read_ticket(proto::Bytes body) {
  Cursor at(body);
  NewSessionTicket read{};
  read.lifetime_s = static_cast<std::uint32_t>(at.number(4));
  read.age_add = static_cast<std::uint32_t>(at.number(4));
  read.nonce = at.vector(1);
  read.ticket = at.vector(2);
  // Each is a type and a vector. None is of use here.
  Cursor extensions(at.vector(2));
  while (!extensions.done()) {
    extensions.number(2);
    extensions.vector(2);
  }
  if (!at.whole() || extensions.broken() || read.ticket.empty()) return {};
  return read;
}

}  // namespace tls::record
