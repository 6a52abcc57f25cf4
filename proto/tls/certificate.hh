// One certificate, taken apart, and what there is to say of it by itself: words that fit behind "a
// certificate that". An empty text: nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/tls/wolf.hh"

namespace tls {

inline constexpr std::string_view kKinds =
    "ECDSA with P-256, P-384 or P-521, RSA of 2048 to 4096 bits, and Ed25519 will do";

// What somebody else wrote into a file, for a terminal: "a\x1b", and only the begin of a long one.
std::string printable(std::string_view text);

// A SEQUENCE (X.690 section 8.1) with nothing behind it: what every certificate and every key is.
bool is_one_sequence(std::string_view der);

// The last second, since 1970, at which a certificate (DER) is valid; 0: it cannot be told.
std::int64_t end_of_validity(const unsigned char* der, unsigned size);

class Certificate {
 public:
  explicit Certificate(std::string_view pem);
  ~Certificate();
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  bool is_whole() const { return whole_; }          // as far as its outermost length tells
  bool is_readable() const { return error_ == 0; }  // else nothing but the next two may be asked
  std::string reason() const;                       // the library's
  std::string unreadable() const;

  std::vector<std::string> names() const;  // its hosts, printable; its common name where it has none
  std::string name() const;          // the first of its hosts, else its common name; printable
  std::string untimely() const;      // outside of its time
  std::int64_t valid_until() const;  // the last second, since 1970; 0: it cannot be told
  // Its key is none that signatures could be verified with, here.
  std::string misfit() const;
  // The same for one to be served, with it or with what stands beside it.
  std::string misfit_of_server() const;
  // What makes clients refuse one that can be served.
  std::vector<std::string> oddities_of_server() const;

  bool is_authority() const { return cert_->isCA != 0 || cert_->selfSigned != 0; }
  bool is_signed_by(const Certificate& other) const;

 private:
  int rsa_bits() const;
  bool has_usable_point() const;

  DerBuffer* der_ = nullptr;
  std::unique_ptr<DecodedCert> cert_ = std::make_unique<DecodedCert>();
  bool decoded_ = false;
  bool whole_ = false;
  int error_ = 0;
};

}  // namespace tls
