// `gateway top`: what a gateway does, in a terminal, anew each second, until q or Ctrl-C.
#pragma once

#include "gateway/console/console.hh"

namespace gateway {

// `once`: one look at it, a second after the first, which the rates begin with; for pipes, too.
ConsoleAnswer show_top(bool once, const AskGateway& ask, const Print& print);

}  // namespace gateway
