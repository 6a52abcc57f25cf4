// How a WebSocket may end, by what its ends do and what its route has said of it since it was
// opened.
#pragma once

#include "tests/simulation/breach.hh"

namespace simulation {

struct WebSocketFacts {
  bool client_closes = false;  // its close frame may be the first one
  bool server_closes = false;
  BreachOutcome breach;  // of the end that breaks a rule; passes() where none does
  bool client_violates = false;
  bool server_violates = false;
  bool client_has_no_pong = false;
  bool server_has_no_pong = false;
  bool client_is_long = false;  // with a message
  bool server_is_long = false;
  bool client_is_slow = false;  // it takes nothing
  bool server_is_slow = false;
  bool over_rate = false;
  bool outlives = false;
  bool lacks_memory = false;  // the gateway, to inflate with

  // By a policy, whatever its ends are about to do.
  bool may_end_early() const {
    return client_has_no_pong || server_has_no_pong || client_is_long || server_is_long ||
           client_is_slow || server_is_slow || over_rate || outlives || lacks_memory;
  }
};

}  // namespace simulation
