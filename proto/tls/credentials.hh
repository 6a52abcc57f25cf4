// Whether what PEM files hold can be used, for those who wrote a configuration that names them. All
// that a handshake would stumble over is found here. Texts fit behind a file's name: "holds a
// certificate that expired on 2026-11-21".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proto/tls/context.hh"

namespace tls {

struct Findings {
  std::vector<std::string> faults;    // with any of them it cannot be used
  std::vector<std::string> warnings;  // it can be used, but clients may not be content
};

// A server's chain, leaf first.
Findings check_chain(std::string_view pem);

// A private key. `if_absent` goes behind the text that there is none.
Findings check_key(std::string_view pem, std::string_view if_absent);

// A chain and a key that are good by themselves: whether they belong together, and serve. The empty
// text: they do. `chain_name` is where the key's text looks for the certificate: "in 'site.pem'".
struct PairFault {
  bool of_key = false;  // it fits behind the name of the key's file, else behind the chain's
  std::string text;
};
PairFault check_pair(const Pem& pem, std::string_view chain_name);

// Authorities to trust: one that can be used is enough, but all must be whole.
Findings check_authorities(std::string_view pem);

// Lists of revoked certificates, for ClientCheck::crl, of CAs that can be used.
Findings check_lists(std::string_view pem, const std::string& ca);

}  // namespace tls
