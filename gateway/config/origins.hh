// Whose pages may open WebSockets: origins as browsers send them (RFC 6454 section 7), with the
// wildcards of the configuration. The same-origin policy does not keep a foreign page from opening
// a WebSocket with the user's cookies; the Origin field tells of it (RFC 6455 section 10.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::config {

class Origins {
 public:
  // Takes what the file says: "https://chat.example.com", "https://*.example.com:8443", "null" for
  // pages that have no origin of their own, "none" for requests that name none. Else tells what is
  // wrong, in words behind "'TEXT' ".
  std::optional<std::string> add(std::string_view text);

  bool empty() const { return named_.empty() && !null_ && !none_; }

  // Whether a request with this Origin is one of them; nothing: it has no such field. What is no
  // origin is none of them.
  bool contain(std::optional<std::string_view> origin) const;

  // As `add` takes them.
  std::vector<std::string> texts() const;

  bool operator==(const Origins&) const = default;

 private:
  // All in lower case.
  struct Named {
    std::string scheme;
    std::string host;         // empty: that of files
    bool subdomains = false;  // all hosts that end in "." and this one, instead of it
    std::uint16_t port = 0;   // 0: the scheme has no port of its own, and none is named

    std::string text() const;
    bool operator==(const Named&) const = default;
  };

  std::vector<Named> named_;
  bool null_ = false;
  bool none_ = false;
};

}  // namespace gateway::config
