// CAs of a test's own, and what they sign: with the `openssl` command line, in a folder of theirs.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "proto/tls/context.hh"
#include "tests/temporary_folder.hh"

namespace tls::test {

inline constexpr const char* kAsCa = "basicConstraints=critical,CA:TRUE\n";

struct Wish {
  std::string extensions = "basicConstraints=CA:FALSE\n";
  std::string key = "ec -pkeyopt ec_paramgen_curve:P-256";
  std::chrono::seconds begin = -std::chrono::hours(24);  // from now
  std::chrono::seconds end = std::chrono::hours(24);
};

class Authority {
 public:
  explicit Authority(const std::string& name = "root") {
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
        " -keyout ca.key -out ca.pem");
    pem_ = {read("ca.pem"), read("ca.key")};
  }
  // One that another one has signed.
  Authority(const Authority& by, const std::string& name)
      : pem_(by.issue({.extensions = kAsCa}, name)) {
    write("ca.pem", pem_.chain);
    write("ca.key", pem_.key);
  }

  // Its certificate: what is to be trusted, or to be shown behind another.
  const std::string& certificate() const { return pem_.chain; }

  Pem issue(const Wish& wish = {}, const std::string& name = "someone") const {
    write_register();
    write("extensions", wish.extensions);
    run("req -newkey " + wish.key + " -nodes -subj /CN=" + name + " -keyout key -out request");
    run("ca -batch -config config -cert ca.pem -keyfile ca.key -in request -extfile extensions"
        " -startdate " +
        time(wish.begin) + " -enddate " + time(wish.end) + " -notext -out chain");
    return {read("chain"), read("key")};
  }

  // Its list of revoked certificates, with the first of each of these chains.
  std::string list_revoked(const std::vector<std::string>& chains,
                           std::chrono::seconds end = std::chrono::hours(24)) const {
    write_register();
    for (const std::string& chain : chains) {
      write("revoked", chain);
      run("ca -config config -cert ca.pem -keyfile ca.key -revoke revoked");
    }
    run("ca -gencrl -config config -cert ca.pem -keyfile ca.key -crl_lastupdate " +
        time(-std::chrono::hours(48)) + " -crl_nextupdate " + time(end) + " -out list");
    return read("list");
  }

  // What its responder says of a certificate, in DER, with these options of `openssl ocsp`. It
  // knows the one that was issued last, and those of a list of revoked ones that was made after
  // that.
  std::string respond(const std::string& chain, const std::string& options = "-ndays 2",
                      const std::string& digest = "-sha1") const {
    write("asked", chain);
    run("ocsp -index register -CA ca.pem -rsigner ca.pem -rkey ca.key -issuer ca.pem " + digest +
        " -cert asked -noverify -respout response " + options);
    return read("response");
  }

 private:
  void write_register() const {
    write("register", "");
    write("config",
          "[ca]\ndefault_ca=own\n[own]\ndatabase=register\nnew_certs_dir=.\ndefault_md=sha256\n"
          "rand_serial=yes\npolicy=any\nunique_subject=no\n[any]\ncommonName=supplied\n");
  }
  static std::string time(std::chrono::seconds from_now) {
    const std::time_t when = std::time(nullptr) + from_now.count();
    std::tm calendar{};
    gmtime_r(&when, &calendar);
    char text[20];
    return {text, std::strftime(text, sizeof text, "%y%m%d%H%M%SZ", &calendar)};
  }
  void run(const std::string& arguments) const {
    const std::string line =
        "cd " + folder_.path().string() + " && openssl " + arguments + " >log 2>&1 </dev/null";
    EXPECT_EQ(std::system(line.c_str()), 0) << line << "\n" << read("log");
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_.path() / name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name) << text;
  }

  const TemporaryFolder folder_;
  Pem pem_;
};

}  // namespace tls::test
