// Until when each listener's certificates are valid: read from what the configuration holds, once
// for each generation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/config/generation.hh"

namespace gateway {

class CertificateEnds {
 public:
  struct One {
    std::string listener;
    std::size_t index;  // of the certificate there
    std::string name;   // the first of its hosts, or its common name
    std::int64_t ends;  // seconds since 1970; 0: it cannot be told
  };

  const std::vector<One>& of(const config::Generation& generation);

 private:
  std::uint64_t generation_ = 0;
  std::vector<One> all_;
};

}  // namespace gateway
