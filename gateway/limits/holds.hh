// What somebody who was let in is counted by, until he goes.
#pragma once

#include "gateway/limits/address_table.hh"
#include "gateway/limits/live_count.hh"

namespace gateway::limits {

// A connection, as long as its descriptor is open.
struct ConnectionHolds {
  CountHold in_all;
  CountHold of_listener;
  AddressTable::Hold of_address;
};

// A request or a WebSocket. Of its client only where that came through a trusted proxy, whose
// connections are many clients'.
struct RequestHolds {
  CountHold of_route;
  AddressTable::Hold of_address;
};

}  // namespace gateway::limits
