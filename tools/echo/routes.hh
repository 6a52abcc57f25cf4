// Which handler answers a request.
#pragma once

#include "tools/echo/exchange.hh"

namespace echo {

// Never null: what is not there is answered with 404, or 426.
Handler handler_of(const Exchange& exchange);

// What each path does, for --help.
extern const char* const kRoutesHelp;

}  // namespace echo
