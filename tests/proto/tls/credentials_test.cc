// What is said of the certificates, keys and authorities that people bring.
#include "proto/tls/credentials.hh"

#include <gmock/gmock.h>

#include "proto/tls/pem.hh"
#include "tests/proto/tls/openssl.hh"

namespace tls::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

constexpr const char* kKinds =
    "ECDSA with P-256, P-384 or P-521, RSA of 2048 to 4096 bits, and Ed25519 will do";

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
  std::string make_root() {
    EXPECT_TRUE(
        run("req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout "
            "root.key -out root.pem -subj /CN=root"));
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

TEST(Pem, IsBlocksWithWhateverBetween) {
  const std::string text =
      "note\n-----BEGIN A-----\nx\n-----END A-----\n-----BEGIN B KEY-----\ny\n"
      "-----BEGIN A-----\nz\n-----END A-----";
  const std::vector<PemBlock> blocks = pem_blocks(text);
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[0].label, "A");
  EXPECT_EQ(blocks[0].text, "-----BEGIN A-----\nx\n-----END A-----");
  EXPECT_TRUE(blocks[0].whole);
  EXPECT_EQ(blocks[1].label, "B KEY");
  EXPECT_FALSE(blocks[1].whole);
  EXPECT_TRUE(blocks[2].whole);
  EXPECT_THAT(pem_blocks("-----BEGIN "), IsEmpty());
  EXPECT_THAT(pem_blocks("-----BEGIN A\nB-----"), IsEmpty());
  EXPECT_THAT(pem_blocks("-----END A-----"), IsEmpty());
}

TEST(Pem, BeginsOnALineOfItsOwn) {
  const std::string block = "-----BEGIN A-----\nx\n-----END A-----";
  for (const std::string_view before :
       {"", "\n", " \t", "note\r\n", "\xEF\xBB\xBF", "# behind -----BEGIN A----- follows\n",
        "-----BEGIN B-----\n-----END B-----", "-----BEGIN B-----\n-----END B----- "}) {
    SCOPED_TRACE(before);
    const std::string text = std::string(before) + block;
    const std::vector<PemBlock> blocks = pem_blocks(text);
    ASSERT_FALSE(blocks.empty());
    EXPECT_EQ(blocks.back().text, block);
    EXPECT_TRUE(blocks.back().whole);
    EXPECT_TRUE(blocks.front().whole);
  }
  EXPECT_THAT(pem_blocks("x " + block), IsEmpty());
}

}  // namespace
}  // namespace tls::test
