// The PEM files that the configuration names: what they hold, and all that is wrong with it, with
// place and cure. Whoever uses the contents later finds nothing that was not looked at here.
#pragma once

#include <array>
#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hh"
#include "gateway/config/file.hh"
#include "proto/tls/context.hh"

namespace gateway::config {

// What one reading of a configuration has read: each file once, however often it is named, since a
// pipe has nothing for a second reader, and what is renewed between two would be halves of a pair.
class PemFiles {
 public:
  // All that the configuration names is noted in `files`, if there is one.
  explicit PemFiles(FilesRead* files) : files_(files) {}

  // Failures are words that fit behind the file's name; `if_absent` goes behind "does not exist".
  std::expected<std::string, std::string> read(const std::string& path, std::string_view if_absent,
                                               std::string_view cure = kCure);
  // What the configuration does not name.
  std::expected<std::string, std::string> read_unnamed(const std::string& path);

 private:
  static constexpr std::string_view kCure = "name a PEM file";
  struct Contents {
    std::string text;
    FileState state;
  };
  std::expected<std::string, std::string> read(const std::string& path, std::string_view if_absent,
                                               std::string_view cure, FileState& state);

  FilesRead* files_;
  std::map<std::string, Contents> contents_;
};

// Sentences, with the file's name.
struct PemRemark {
  bool of_key = false;  // of `key_path`, else of `chain_path`
  std::string message;
};

struct LoadedCertificate {
  tls::Pem pem;  // good if there are no faults
  std::vector<PemRemark> faults;
  std::vector<std::string> warnings;  // of the chain
};

// `if_keyless` goes behind the text that there is no key.
LoadedCertificate load_certificate(PemFiles& files, const Certificate& certificate,
                                   std::string_view if_absent, std::string_view if_keyless);

struct LoadedCa {
  std::string text;
  std::vector<std::string> faults;
  std::vector<std::string> warnings;
};

// A file of CA certificates that the configuration names.
LoadedCa load_ca(PemFiles& files, const std::string& path, std::string_view if_absent);

// A file of lists of revoked certificates; `ca` is what client_ca holds, which is good.
LoadedCa load_crl(PemFiles& files, const std::string& path, const std::string& ca,
                  std::string_view if_absent);

struct LoadedStaple {
  std::string der;
  std::int64_t until = 0;  // seconds since 1970
  std::vector<std::string> faults;
  std::vector<std::string> warnings;
};

// A file of an OCSP response for a certificate's chain. Without a chain, which cannot be used then,
// it is only read.
LoadedStaple load_staple(PemFiles& files, const std::string& path, const std::string& chain,
                         std::string_view if_absent);

// Where Debian and Fedora, and what comes from them, keep the certificates of public CAs.
inline constexpr std::array<std::string_view, 2> kSystemCaPaths = {
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"};

// The first that exists; a failure names the cure.
std::expected<std::string, std::string> find_system_ca(
    std::span<const std::string_view> paths = kSystemCaPaths);

// The same, read: into `ca_path` and `ca`. Nobody here is to blame for single certificates in it.
std::expected<void, std::string> load_system_ca(PemFiles& files, PoolTls& tls);

}  // namespace gateway::config
