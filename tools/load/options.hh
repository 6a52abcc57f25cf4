// What a run is to do.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace load {

struct Options {
  std::string url;
  std::size_t connections = 1;
  std::size_t in_flight = 1;
  std::uint64_t size_bytes = 64;
  bool text = false;  // messages are
  double duration_s = 5;
  bool hold = false;
  double connect_rate = 0;  // a second; 0: as fast as they are accepted
  std::vector<pid_t> cpu_of;
  std::string verify = "off";  // or a file with CA certificates
};

}  // namespace load
