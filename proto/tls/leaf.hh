// What there is to say of a certificate that is served, for who wants to know when to renew it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tls {

struct Leaf {
  std::string name;          // the first of its hosts, else its common name; printable
  std::int64_t valid_until;  // the last second, since 1970; 0: it cannot be told
  std::vector<std::string> names = {};  // of all its hosts, else its common name; printable
};

// The first certificate of a chain in PEM form.
Leaf leaf_of(std::string_view chain);

}  // namespace tls
