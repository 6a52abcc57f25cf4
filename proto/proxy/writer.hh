// Writes PROXY headers, for servers that want to know whose connection they get.
#pragma once

#include <string>
#include <string_view>

#include "proto/proxy/endpoints.hh"

namespace proxy {

// What version 2 tells beside the addresses; what is empty is left out.
struct Details {
  std::string_view authority;  // the name that the client asked for (SNI)
  std::string_view protocol;   // that was agreed on with it (ALPN)
  std::string_view unique_id;  // at most 128 bytes
};

// Appends a whole header: with Family::kNone or kUnix one that tells no address (UNKNOWN, or
// AF_UNSPEC). A header of version 2 has a checksum. Precondition: a version.
void write_header(std::string& to, Version version, const Endpoints& ends,
                  const Details& details = {});

// For a connection of the sender's own, such as a health check: the ends of the connection are
// meant.
void write_local(std::string& to, Version version);

}  // namespace proxy
