// How a line of the log begins that tells what has become of a server:
// `server pool=chat upstream=10.0.0.1:9001 state=up ...`.
#pragma once

#include <string_view>

#include "gateway/log/line.hh"

namespace gateway {

class ServerLine : public LogLine {
 public:
  ServerLine(Log log, LogLevel level, std::string_view pool, std::string_view server,
             std::string_view state)
      : LogLine(log, level, "server") {
    word("pool", pool).word("upstream", server).word("state", state);
  }
};

}  // namespace gateway
