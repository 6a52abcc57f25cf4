// Which of several certificates serves a server name. Filled once from the certificates'
// alternative names, then only asked: two look-ups a question, however many names there are. Where
// two certificates have the same name, the one that was added first has it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tls {

class NameTable {
 public:
  // `pattern` is a DNS name, or "*." and the domain of at least two labels under which it stands
  // for one label (RFC 6125 section 6.4.3). Other wildcards match nothing.
  void add(std::string_view pattern, std::size_t certificate);

  // Upper and lower case are the same, and a final dot is nothing. An exact name comes before a
  // wildcard. Where no certificate has the name: the first, 0.
  std::size_t certificate_for(std::string_view name) const;

 private:
  std::unordered_map<std::string, std::size_t> exact_;
  std::unordered_map<std::string, std::size_t> wildcards_;  // by domain, with its dot in front
};

}  // namespace tls
