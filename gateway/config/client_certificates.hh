// What [[listen]] asks of its clients' certificates, as gateway.conf writes it.
#pragma once

#include <string>

#include "gateway/config/listener_tls.hh"

namespace gateway::config {

// The keys of the listener, then its [[listen.names]].
std::string client_lines(const Tls& tls);

}  // namespace gateway::config
