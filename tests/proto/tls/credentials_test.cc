// What is said of the certificates, keys and authorities that people bring.
#include "proto/tls/credentials.hh"

#include <gmock/gmock.h>

#include "proto/tls/loopback.hh"
#include "tests/proto/tls/openssl.hh"

namespace tls::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

constexpr const char* kKinds =
    "ECDSA with P-256, P-384 or P-521, RSA of 2048 to 4096 bits, and Ed25519 will do";

const std::string kCurve = "ec -pkeyopt ec_paramgen_curve:P-256";

// Where its DER begins.
std::string damaged(std::string pem) {
  return pem.replace(pem.find('\n') + 1, 20, "AAAAAAAAAAAAAAAAAAAA");
}

std::string cut_off(const std::string& pem) {
  return pem.substr(0, pem.size() / 2);
}

class Credentials : public OpenSsl {
 protected:
  Pem make(const std::string& key, const std::string& more = "") {
    EXPECT_TRUE(run("req -x509 -nodes -days 2 -newkey " + key +
                    " -keyout key.pem -out cert.pem -subj /CN=site.test "
                    "-addext subjectAltName=DNS:site.test " +
                    more))
        << read_file(file("log"));
    return {read_file(file("cert.pem")), read_file(file("key.pem"))};
  }
  // The certificate of `name`, signed by the one of `signer`, whose files are there.
  std::string sign(const std::string& name, const std::string& signer,
                   const std::string& extensions) {
    write("ext", extensions);
    EXPECT_TRUE(run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + name +
                    ".key -out csr -subj /CN=" + name));
    EXPECT_TRUE(run("x509 -req -in csr -CA " + signer + ".pem -CAkey " + signer +
                    ".key -set_serial 7 -days 2 -extfile ext -out " + name + ".pem"))
        << read_file(file("log"));
    return read_file(file(name + ".pem"));
  }
  std::string make_root(const std::string& key = kCurve) {
    EXPECT_TRUE(run("req -x509 -nodes -days 2 -newkey " + key +
                    " -keyout root.key -out root.pem -subj /CN=root"))
        << read_file(file("log"));
    return read_file(file("root.pem"));
  }
};

TEST_F(Credentials, OfEachKindThatIsServedAreFine) {
  for (const std::string kind :
       {"ec -pkeyopt ec_paramgen_curve:P-256", "ec -pkeyopt ec_paramgen_curve:P-384",
        "ec -pkeyopt ec_paramgen_curve:P-521", "rsa:2048", "ed25519"}) {
    SCOPED_TRACE(kind);
    const Pem pem = make(kind);
    EXPECT_THAT(check_chain(pem.chain).faults, IsEmpty());
    EXPECT_THAT(check_chain(pem.chain).warnings, IsEmpty());
    EXPECT_THAT(check_key(pem.key, "").faults, IsEmpty());
    EXPECT_EQ(check_pair(pem, "in it").text, "");
  }
}

TEST_F(Credentials, OfOtherKindsAreNamedWithThoseThatWillDo) {
  for (const std::string kind :
       {"ec -pkeyopt ec_paramgen_curve:P-224", "ec -pkeyopt ec_paramgen_curve:secp256k1",
        "ec -pkeyopt ec_paramgen_curve:brainpoolP256r1", "ed448"}) {
    SCOPED_TRACE(kind);
    const Pem pem = make(kind);
    Findings found = check_chain(pem.chain);
    if (found.faults.empty()) found.faults = {check_pair(pem, "in it").text};
    EXPECT_THAT(found.faults, ElementsAre(HasSubstr(kKinds)));
    EXPECT_THAT(found.faults, ElementsAre(MatchesRegex(
                                  "holds a certificate that (cannot be served|is of a kind that is "
                                  "not supported).*")));
  }
}

TEST_F(Credentials, MayStandInOneFileInAnyOrderWithNotesBetween) {
  const Pem& good = localhost();
  for (const std::string& both : {good.key + good.chain, good.chain + "notes\n" + good.key,
                                  "\xEF\xBB\xBF" + good.key + "\r\n" + good.chain}) {
    EXPECT_THAT(check_chain(both).faults, IsEmpty());
    EXPECT_THAT(check_key(both, "").faults, IsEmpty());
    EXPECT_EQ(check_pair({both, both}, "in it").text, "");
  }
}

TEST_F(Credentials, AreNamedForWhatTheyAre) {
  const Pem& good = localhost();
  const Pem pem = make("ec -pkeyopt ec_paramgen_curve:P-256");
  ASSERT_TRUE(run("x509 -in cert.pem -outform der -out cert.der"));
  ASSERT_TRUE(run("pkey -in key.pem -outform der -out key.der"));
  ASSERT_TRUE(run("pkey -in key.pem -pubout -out public.pem"));
  ASSERT_TRUE(run("pkey -in key.pem -aes128 -passout pass:secret -out encrypted.pem"));
  ASSERT_TRUE(run("ec -in key.pem -aes128 -passout pass:secret -out encrypted-old.pem"));
  ASSERT_TRUE(run("pkcs12 -export -in cert.pem -inkey key.pem -passout pass: -out both.p12"));
  const std::string pkcs12 = "is PKCS #12, not PEM: 'openssl pkcs12 -nodes -in FILE' converts it";
  const std::string encrypted =
      "holds a key that is encrypted; store it decrypted, readable by the gateway alone: 'openssl "
      "pkey -in FILE' decrypts it";
  const std::string misfit =
      "holds a private key that is damaged, or of a kind that is not supported: " +
      std::string(kKinds);
  struct Case {
    std::string text;
    std::string fault;
  };
  const Case chains[] = {
      {"", "is empty: write it anew, in PEM form"},
      {"hello\n", "holds no certificate in PEM form; name the file that has the certificate"},
      {good.key,
       "holds no certificate, only EC PRIVATE KEY; name the file that has the certificate"},
      {read_file(file("cert.der")),
       "is in binary form (DER), not PEM: 'openssl x509 -inform der -in FILE' converts it"},
      {read_file(file("both.p12")), pkcs12},
      {cut_off(good.chain), "is cut off: a certificate in it has no END line; copy it anew"},
      {good.chain + cut_off(good.chain),
       "is cut off: a certificate in it has no END line; copy it anew"},
  };
  for (const Case& each : chains) {
    SCOPED_TRACE(each.text.substr(0, 40));
    EXPECT_THAT(check_chain(each.text).faults, ElementsAre(each.fault));
  }
  const Case keys[] = {
      {"", "is empty: write it anew, in PEM form"},
      {"hello\n", "holds no private key in PEM form; CURE"},
      {good.chain, "holds no private key, only CERTIFICATE; CURE"},
      {read_file(file("public.pem")), "holds no private key, only PUBLIC KEY; CURE"},
      {read_file(file("key.der")),
       "is in binary form (DER), not PEM: 'openssl pkey -inform der -in FILE' converts it"},
      {read_file(file("both.p12")), pkcs12},
      {read_file(file("encrypted.pem")), encrypted},
      {read_file(file("encrypted-old.pem")), encrypted},
      {cut_off(good.key), "is cut off: a private key in it has no END line; copy it anew"},
      {damaged(good.key), misfit},
      {"-----BEGIN EC PRIVATE KEY----------END EC PRIVATE KEY-----", misfit},
      {"-----BEGIN EC PRIVATE KEY-----AAAA-----END EC PRIVATE KEY-----\n", misfit},
      {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", misfit},
  };
  for (const Case& each : keys) {
    SCOPED_TRACE(each.text.substr(0, 40));
    EXPECT_THAT(check_key(each.text, "CURE").faults, ElementsAre(each.fault));
  }
}

TEST_F(Credentials, ThatAreDamagedAreCountedInTheChain) {
  const std::string& good = localhost().chain;
  const std::string spoilt = damaged(good);
  EXPECT_THAT(check_chain(spoilt).faults,
              ElementsAre(MatchesRegex("holds a certificate that is damaged \\(.*\\): copy it "
                                       "anew")));
  EXPECT_THAT(check_chain(good + spoilt + spoilt).faults,
              ElementsAre(MatchesRegex("holds a certificate, number 2, that is damaged.*"),
                          MatchesRegex("holds a certificate, number 3, that is damaged.*")));
}

TEST_F(Credentials, WhoseTimeIsNotNowCanBeServedButAreWarnedOf) {
  const Findings old = check_chain(make_self_signed(std::chrono::days(-1)).value().chain);
  EXPECT_THAT(old.faults, IsEmpty());
  EXPECT_THAT(
      old.warnings,
      ElementsAre(MatchesRegex("holds a certificate that expired on 20..-..-..: renew it")));
}

TEST_F(Credentials, WithoutANameOfAHostAreWarnedOf) {
  make_root();
  const Findings found = check_chain(read_file(file("root.pem")));
  EXPECT_THAT(found.faults, IsEmpty());
  EXPECT_THAT(found.warnings,
              ElementsAre("holds a certificate that names no host (subject alternative name): no "
                          "client will take it"));
}

TEST_F(Credentials, OfAChainThatDoesNotHangTogetherAreWarnedOf) {
  const std::string root = make_root();
  const std::string leaf = sign("leaf", "root", "subjectAltName=DNS:leaf.test\n");
  EXPECT_THAT(check_chain(leaf + root).warnings, IsEmpty());
  const Findings found = check_chain(leaf + localhost().chain);
  EXPECT_THAT(found.faults, IsEmpty());
  EXPECT_THAT(found.warnings,
              ElementsAre("holds a certificate, number 2, that did not sign the one before it: "
                          "clients may refuse the chain"));
}

TEST_F(Credentials, ThatDoNotBelongTogetherAreTheKeysFault) {
  const std::string root = make_root();
  const std::string leaf = sign("leaf", "root", "subjectAltName=DNS:leaf.test\n");
  const std::string key = read_file(file("leaf.key"));
  EXPECT_EQ(check_pair({leaf + root, key}, "in it").text, "");

  const PairFault other = check_pair({leaf, localhost().key}, "in 'leaf.pem'");
  EXPECT_TRUE(other.of_key);
  EXPECT_EQ(other.text,
            "holds a key that does not belong to the certificate in 'leaf.pem', which is for "
            "leaf.test: name the key that it was made with");

  EXPECT_EQ(check_pair({root + leaf, key}, "in 'leaf.pem'").text,
            "holds a key that does not belong to the certificate in 'leaf.pem', which is for root: "
            "it belongs to number 2 there, and the server's own has to stand first");
}

TEST_F(Credentials, OfAuthoritiesAreForTrustingOthers) {
  const std::string root = make_root();
  const std::string leaf = sign("leaf", "root", "subjectAltName=DNS:leaf.test\n");
  const std::string old = make_self_signed(std::chrono::days(-1)).value().chain;
  const std::string not_one =
      "holds a certificate that is no CA's: name that of the CA that signed it";
  EXPECT_THAT(check_authorities(root).faults, IsEmpty());
  EXPECT_THAT(check_authorities(root).warnings, IsEmpty());
  EXPECT_THAT(check_authorities(localhost().chain).faults, IsEmpty());

  EXPECT_THAT(check_authorities(leaf).faults, ElementsAre(not_one));
  EXPECT_THAT(check_authorities(old).faults,
              ElementsAre(MatchesRegex("holds a certificate that expired on .*")));
  EXPECT_THAT(check_authorities("").faults, ElementsAre("is empty: write it anew, in PEM form"));
  EXPECT_THAT(check_authorities(localhost().key).faults,
              ElementsAre("holds no certificate, only EC PRIVATE KEY; name the file that has the "
                          "CA's certificate"));
  EXPECT_THAT(check_authorities(root + cut_off(root)).faults,
              ElementsAre("is cut off: a certificate in it has no END line; copy it anew"));

  // One that can be used is enough.
  const Findings mixed = check_authorities(leaf + root + old);
  EXPECT_THAT(mixed.faults, IsEmpty());
  EXPECT_THAT(mixed.warnings, ElementsAre(HasSubstr("number 1, that is no CA's"),
                                          HasSubstr("number 3, that expired on")));
}

TEST_F(Credentials, OfAFormThatIsUnknownAreNotCalledDamaged) {
  const std::string root = make_root();
  const std::string critical = make(kCurve, "-addext 1.2.3.4=critical,ASN1:NULL").chain;
  const std::string explicit_curve = make(kCurve + " -pkeyopt ec_param_enc:explicit").chain;
  EXPECT_THAT(check_chain(critical).faults,
              ElementsAre("holds a certificate that has a critical extension that is not "
                          "supported: have one issued without it"));
  EXPECT_THAT(check_chain(explicit_curve).faults,
              ElementsAre(MatchesRegex("holds a certificate that is (damaged, or of a form|of a "
                                       "kind) that is not supported \\(.*\\): .*")));
  for (const std::string& one : {critical, explicit_curve}) {
    EXPECT_THAT(check_authorities(one).faults, SizeIs(1));
    EXPECT_THAT(check_authorities(root + one).faults, IsEmpty());
    EXPECT_THAT(check_authorities(root + one).warnings, ElementsAre(HasSubstr("number 2, that")));
  }
  EXPECT_THAT(check_authorities(root + damaged(root)).faults, SizeIs(1));
}

TEST_F(Credentials, BehindTheServersOwnMayBeOfKindsThatAreUnknownHere) {
  const std::string root = make_root("ed448");
  const std::string leaf = sign("leaf", "root", "subjectAltName=DNS:leaf.test\n");
  const Findings found = check_chain(leaf + root);
  EXPECT_THAT(found.faults, IsEmpty());
  EXPECT_THAT(found.warnings,
              ElementsAre(MatchesRegex("holds a certificate, number 2, that is of a kind that is "
                                       "unknown here \\(.*\\): it is sent as it is")));
  EXPECT_EQ(check_pair({leaf + root, read_file(file("leaf.key"))}, "in it").text, "");
}

TEST_F(Credentials, AreQuotedWithoutTheirControlBytes) {
  write("red.cnf", "[req]\ndistinguished_name=dn\n[dn]\n");
  ASSERT_TRUE(run("req -x509 -nodes -days 2 -newkey " + kCurve +
                  " -config red.cnf -keyout red.key -out red.pem -subj '/CN=\x1b[31mred'"));
  EXPECT_THAT(check_pair({read_file(file("red.pem")), localhost().key}, "in it").text,
              HasSubstr("which is for \\x1b[31mred: "));
  const std::string label = "\x1b[31m" + std::string(200, 'A');
  EXPECT_THAT(
      check_key("-----BEGIN " + label + "-----\n", "CURE").faults,
      ElementsAre("holds no private key, only \\x1b[31m" + std::string(95, 'A') + "...; CURE"));
}

// Whether a server is trusted whose certificate the authority has signed.
bool is_trusted(const Pem& pem, const std::string& authorities) {
  TicketKeys tickets;
  const auto server = ServerContexts::load({&pem, 1}, tickets);
  const auto client = ClientContext::load({.ca = authorities});
  return server && client && loop_back(**server, **client).done;
}

TEST_F(Credentials, OfAuthoritiesAreJudgedAsAHandshakeWould) {
  struct Case {
    std::string key;
    bool good;
  };
  const Case cases[] = {
      {"ec -pkeyopt ec_paramgen_curve:P-256", true},
      {"ec -pkeyopt ec_paramgen_curve:P-384", true},
      {"ec -pkeyopt ec_paramgen_curve:P-521", true},
      {"ec -pkeyopt ec_paramgen_curve:P-224", true},
      {"rsa-pss -pkeyopt rsa_keygen_bits:2048", true},
      {"rsa:2048", true},
      {"rsa:1024", true},
      {"ed25519", true},
      {"ec -pkeyopt ec_paramgen_curve:secp256k1", false},
      {"ec -pkeyopt ec_paramgen_curve:brainpoolP256r1", false},
      {"rsa:4224", false},
      {"ed448", false},
  };
  const std::string good_root = localhost().chain;
  for (const Case& each : cases) {
    SCOPED_TRACE(each.key);
    const std::string root = make_root(each.key);
    const std::string leaf = sign("leaf", "root", "subjectAltName=DNS:localhost\n");
    EXPECT_EQ(is_trusted({leaf, read_file(file("leaf.key"))}, root), each.good);
    const Findings alone = check_authorities(root);
    const Findings beside = check_authorities(good_root + root);
    EXPECT_THAT(beside.faults, IsEmpty());
    if (each.good) {
      EXPECT_THAT(alone.faults, IsEmpty());
      EXPECT_THAT(beside.warnings, IsEmpty());
      continue;
    }
    EXPECT_THAT(alone.faults, ElementsAre(MatchesRegex("holds a certificate that is of a kind that "
                                                       "is not supported \\(.*\\): .*")));
    EXPECT_THAT(alone.faults, ElementsAre(HasSubstr(kKinds)));
    EXPECT_THAT(beside.warnings, ElementsAre(HasSubstr("number 2, that is of a kind")));
  }
}

// In TLS 1.2 it would be used for ordinary RSA, which OpenSSL refuses.
TEST_F(Credentials, WithAKeyForPssAloneAreRefused) {
  const Pem pem = make("rsa-pss -pkeyopt rsa_keygen_bits:2048");
  EXPECT_THAT(check_chain(pem.chain).faults,
              ElementsAre("holds a certificate that is of a kind that is not supported (a key for "
                          "RSA-PSS alone): " +
                          std::string(kKinds)));
}

TEST_F(Credentials, ThatClientsRefuseAreWarnedOf) {
  struct Case {
    std::string key;
    std::string more;
    std::string warning;
  };
  const Case cases[] = {
      {"rsa:1024", "", "has an RSA key of 1024 bits: clients may refuse it; make one of 2048"},
      {kCurve, "-addext extendedKeyUsage=clientAuth",
       "is not for servers (extended key usage): clients may refuse it; have one issued with "
       "serverAuth"},
      {kCurve, "-addext keyUsage=keyAgreement",
       "is not for signatures (key usage): clients may refuse it; have one issued with "
       "digitalSignature"},
      {kCurve,
       "-addext extendedKeyUsage=clientAuth,serverAuth -addext "
       "keyUsage=digitalSignature,keyAgreement",
       ""},
      {kCurve, "-addext extendedKeyUsage=anyExtendedKeyUsage", ""},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.key + " " + each.more);
    const Findings found = check_chain(make(each.key, each.more).chain);
    EXPECT_THAT(found.faults, IsEmpty());
    if (each.warning.empty()) {
      EXPECT_THAT(found.warnings, IsEmpty());
    } else {
      EXPECT_THAT(found.warnings, ElementsAre("holds a certificate that " + each.warning));
    }
  }
}

TEST_F(Credentials, WithACompressedPointAreToldHowToConvertIt) {
  const std::string fault =
      "holds a private key with its public point compressed: 'openssl ec -in FILE -conv_form "
      "uncompressed' converts it";
  for (const std::string curve : {"P-256", "P-384", "P-521"}) {
    SCOPED_TRACE(curve);
    make("ec -pkeyopt ec_paramgen_curve:" + curve);
    ASSERT_TRUE(run("ec -in key.pem -conv_form compressed -out old.pem"));
    ASSERT_TRUE(run("pkey -in key.pem -ec_conv_form compressed -out new.pem"));
    for (const std::string form : {"old.pem", "new.pem"}) {
      EXPECT_THAT(check_key(read_file(file(form)), "").faults, ElementsAre(fault));
      ASSERT_TRUE(run("ec -in " + form + " -conv_form uncompressed -out converted.pem"));
      EXPECT_THAT(check_key(read_file(file("converted.pem")), "").faults, IsEmpty());
    }
  }
  ASSERT_TRUE(
      run("req -x509 -new -key old.pem -days 2 -subj /CN=a -addext subjectAltName=DNS:a "
          "-out cert.pem"));
  EXPECT_THAT(
      check_chain(read_file(file("cert.pem"))).faults,
      ElementsAre(HasSubstr("(another curve, or a compressed point): " + std::string(kKinds))));
}

TEST_F(Credentials, MayHaveSeveralKeysOfWhichTheFirstCounts) {
  const std::string other = make("rsa:2048").key;
  const Pem pem = make(kCurve);
  EXPECT_EQ(check_pair({pem.chain, pem.key + other}, "in it").text, "");
  const PairFault fault = check_pair({pem.chain, other + pem.key}, "in it");
  EXPECT_TRUE(fault.of_key);
  EXPECT_EQ(fault.text,
            "holds a key that does not belong to the certificate in it, which is for site.test: a "
            "later one in it does, and has to stand first");
}

}  // namespace
}  // namespace tls::test
