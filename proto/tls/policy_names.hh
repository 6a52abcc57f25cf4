// Whose terms hold for a server name, where names have their own: an exact name comes before
// "*.SUFFIX", which stands for any number of labels, and the longer suffix first. Filled once, then
// only asked.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace tls {

class PolicyNames {
 public:
  // `pattern` is a DNS name in lower case, or "*." and one; `policy` is not 0. False: it is there.
  bool add(std::string_view pattern, std::size_t policy);

  // 0: none has it. Upper and lower case are the same, and a final dot is nothing.
  std::size_t find(std::string_view name) const;
  bool empty() const { return exact_.empty() && suffixes_.empty(); }

 private:
  using Table = std::map<std::string, std::size_t, std::less<>>;

  Table exact_;
  Table suffixes_;  // ".example.org" of "*.example.org"
};

}  // namespace tls
