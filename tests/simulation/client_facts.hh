// What the end of one of a client's requests can be the consequence of.
#pragma once

#include "tests/simulation/client.hh"

namespace simulation {

struct SimulatedClient::Facts {
  const RequestPlan& plan;
  const Trail& trail;
  Answer answer;
  bool left;      // the client has, in whatever way, before the end
  bool spoilt;    // ... its TLS session
  bool late;      // it takes its bytes late
  bool overrun;   // it has sent more behind its request than is taken
  bool silent;    // it says nothing, or half of it
  bool secure;    // it speaks TLS
  bool stopping;  // the gateway
  bool cut;       // ... at once
  bool tight;     // limits are
  bool turned_away;
  bool rebalanced;  // servers of the pool were, before
  bool drained;     // a server of the pool was
  bool orphaned;    // ... may have gone
  bool kicked;      // the client may have been
  bool shortage;
  bool refuses;        // the server that cannot be reached
  bool limited;        // its pool lets few in, or few upgrades
  bool lacks_servers;  // some of its pool were down, or may have been
  bool gives_up;       // ... may refuse to try once more, or has but the one that cannot be reached
  bool redirectable;
  bool guard_is_late;  // the server that is asked whether it may pass
  bool guard_fails;
  WebSocketFacts websocket;

  bool wild() const { return is_wild(plan.pool); }
  bool closing() const { return plan.pool == PoolKind::kClosing; }
  // What was kept to its server had been closed behind the answer before, unnoticed so far.
  bool met_nobody() const { return wild() && trail.arrivals == 0; }
  // The client may not have got what was there for it.
  bool lossy() const { return left || spoilt || late || cut || overrun; }
  bool may_lack() const { return lossy() || kicked; }
  bool has_whole() const { return answer.got == Got::kWhole; }
  bool redirected() const { return redirectable && !answer.is_own && answer.status == 308; }
  Closer closer() const { return plan.websocket->closer; }
  // One of its ends says nothing more, some time, and does not go.
  bool falls_silent() const {
    return closer() == Closer::kNobody || stalls(closer()) || dies(closer());
  }
  // A server which nobody can know more of: its TLS may break anywhere.
  bool opaque() const { return plan.pool == PoolKind::kSecureWild; }
};

}  // namespace simulation
