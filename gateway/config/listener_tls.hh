// What [[listen]] says of TLS: certificates of its own, and those that clients have to show, by the
// name that they ask for. Plain data, a part of Config.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/place.hh"
#include "proto/tls/context.hh"
#include "proto/tls/policy_names.hh"

namespace gateway::config {

// Both paths are absolute and may be the same file.
struct Certificate {
  std::string chain_path;
  std::string key_path;
  Place place;
  std::string staple_path = {};   // likewise absolute, of an OCSP response; empty: none
  std::int64_t staple_until = 0;  // when that expires, seconds since 1970
};

inline constexpr std::array<std::string_view, 3> kDemandNames = {"required", "optional", "off"};

// Those that clients show.
struct ClientCertificates {
  std::string ca_path;     // absolute
  std::string crl_path;    // likewise; empty: none
  tls::ClientCheck check;  // with what these files held when the configuration was read
};

// What is asked of clients that ask for one of these names.
struct NamePolicy {
  std::vector<std::string> names;  // lower-case, exact or "*.SUFFIX"
  std::optional<ClientCertificates> clients;
};

// Whatever is read here was looked at, and can be used.
struct Tls {
  bool self_signed = false;                   // one made in memory; `certificates` is then empty
  std::vector<Certificate> certificates;      // the first serves clients that name no known host
  std::vector<tls::Pem> pems;                 // what their files held, or the one that was made
  std::optional<ClientCertificates> clients;  // nothing: nobody is asked for one
  std::vector<NamePolicy> policies;           // of names for which something else holds
  tls::PolicyNames policy_names;              // their places in `policies`, from 1 on

  // What is asked of who asks for this name.
  const std::optional<ClientCertificates>& clients_for(std::string_view name) const {
    const std::size_t policy = policy_names.find(name);
    return policy == 0 ? clients : policies[policy - 1].clients;
  }
};

// Whether who came in by `one` has shown as much as `other` asks for.
bool covers(const std::optional<ClientCertificates>& one,
            const std::optional<ClientCertificates>& other);

}  // namespace gateway::config
