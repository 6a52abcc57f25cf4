// A server's and a client's session of this process that shake hands with each other.
#pragma once

#include "proto/tls/context.hh"
#include "proto/tls/session.hh"

namespace tls {

struct Loopback {
  bool done = false;  // the handshake, and a record each way
  Error server;       // without a reason where it did not fail
  Error client;
};

// The client asks for localhost.
Loopback loop_back(ServerContexts& contexts, ClientContext& context);

}  // namespace tls
