// What is told of a certificate: of those that openssl makes, and of what none would make.
#include "proto/tls/certificate_facts.hh"

#include <gtest/gtest.h>

#include "proto/tls/pem.hh"
#include "proto/tls/wolf.hh"
#include "tests/proto/tls/authority.hh"

namespace tls::test {
namespace {

// A value in DER.
std::string der(unsigned char tag, const std::string& content) {
  std::string size;
  if (content.size() < 0x80) {
    size = static_cast<char>(content.size());
  } else {
    size = {'\x82', static_cast<char>(content.size() >> 8), static_cast<char>(content.size())};
  }
  return static_cast<char>(tag) + size + content;
}

std::string attribute(const std::string& object, unsigned char tag, const std::string& text) {
  return der(0x30, der(0x06, object) + der(tag, text));
}

const std::string kCommonName = "\x55\x04\x03";
const std::string kOrganisation = "\x55\x04\x0a";

std::string common_name(const std::string& text, unsigned char tag = 0x0c) {
  return der(0x31, attribute(kCommonName, tag, text));
}

struct Parts {
  std::string serial = "\x01";
  std::string subject = common_name("a");
  std::string extensions;
  std::string behind;  // the certificate
};

std::string certificate(const Parts& parts) {
  const std::string some = der(0x30, "");
  std::string body = der(0xa0, der(0x02, "\x02")) + der(0x02, parts.serial) + some +
                     der(0x30, common_name("b")) + some + der(0x30, parts.subject) + some;
  if (!parts.extensions.empty()) body += der(0xa3, der(0x30, parts.extensions));
  return der(0x30, der(0x30, body) + some) + parts.behind;
}

std::string alternatives(const std::string& names, const std::string& behind = "") {
  return der(0x30, der(0x06, "\x55\x1d\x11") + der(0x04, der(0x30, names) + behind));
}

std::expected<CertificateFacts, std::string_view> facts_of(const Parts& parts) {
  return read_facts(proto::as_bytes(certificate(parts)));
}

std::string der_of(const std::string& pem) {
  DerBuffer* made = nullptr;
  const std::string text = certificates_of(pem);
  EXPECT_EQ(
      wc_PemToDer(reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<long>(text.size()), CERT_TYPE, &made, nullptr, nullptr, nullptr),
      0);
  std::string bytes(reinterpret_cast<const char*>(made->buffer), made->length);
  wc_FreeDer(&made);
  return bytes;
}

TEST(CertificateFacts, AreWhatOpensslSaysToo) {
  const Authority root("root");
  const Pem pem =
      root.issue({.extensions = "subjectAltName=DNS:a.test,URI:spiffe://a/b?c=d,"
                                "email:a@b.test,IP:10.0.0.7,IP:2001:db8::1,RID:1.2.3\n"},
                 "someone");
  const auto facts = read_facts(proto::as_bytes(der_of(pem.chain)));
  ASSERT_TRUE(facts) << facts.error();
  EXPECT_EQ(facts->subject, "CN=someone");
  EXPECT_EQ(facts->issuer, "CN=root");
  EXPECT_EQ(facts->names,
            "DNS:a.test, URI:spiffe://a/b?c=d, EMAIL:a@b.test, IP:10.0.0.7, IP:2001:db8::1");
  const TemporaryFolder folder;
  const std::string file = folder.path().string() + "/pem";
  std::ofstream(file) << pem.chain;
  const std::string line =
      "openssl x509 -noout -serial -fingerprint -sha256 -in " + file + " | tr -d : | tr a-f A-F";
  FILE* const openssl = popen(line.c_str(), "r");
  ASSERT_NE(openssl, nullptr);
  char said[512] = {};
  EXPECT_GT(fread(said, 1, sizeof said - 1, openssl), 0u);
  pclose(openssl);
  std::string fingerprint = facts->fingerprint;
  EXPECT_EQ(fingerprint.size(), 64u);
  for (char& c : fingerprint) c = static_cast<char>(std::toupper(c));
  EXPECT_NE(std::string(said).find("=" + facts->serial + "\n"), std::string::npos) << said;
  EXPECT_NE(std::string(said).find("=" + fingerprint + "\n"), std::string::npos) << said;
}

TEST(CertificateFacts, NeverLetOneNameLookLikeTwo) {
  const struct {
    const char* name;
    std::string subject;
    const char* expected;
  } cases[] = {
      {"nobody", "", ""},
      {"the last part first",
       der(0x31, attribute(kOrganisation, 0x13, "Some Org")) + common_name("a b"),
       "CN=a b,O=Some Org"},
      {"several in one part",
       der(0x31, attribute(kCommonName, 0x0c, "a") + attribute(kOrganisation, 0x0c, "o")),
       "CN=a+O=o"},
      {"separators", common_name("a,CN=admin+O=o;\"<>\\"),
       "CN=a\\2CCN=admin\\2BO=o\\3B\\22\\3C\\3E\\5C"},
      {"a line's end", common_name("a\r\nX-Admin: 1"), "CN=a\\0D\\0AX-Admin: 1"},
      {"a zero", common_name(std::string("admin\0.evil", 11)), "CN=admin\\00.evil"},
      {"spaces around", common_name("  a  "), "CN=\\20 a \\20"},
      {"a space alone", common_name(" "), "CN=\\20"},
      {"a number sign", common_name("#a#"), "CN=\\23a#"},
      {"UTF-8", common_name("\xc3\xa4"), "CN=\\C3\\A4"},
      {"a string of two bytes a letter", common_name(std::string("\0a", 2), 0x1e), "CN=#1E020061"},
      {"an attribute without a name", der(0x31, attribute("\x2a\x03\x84\x01", 0x0c, "a")),
       "1.2.3.513=#0C0161"},
      {"an attribute of the third tree", der(0x31, attribute("\x88\x37", 0x0c, "a")),
       "2.999=#0C0161"},
  };
  for (const auto& each : cases) {
    const auto facts = facts_of({.subject = each.subject});
    ASSERT_TRUE(facts) << each.name;
    EXPECT_EQ(facts->subject, each.expected) << each.name;
    EXPECT_EQ(facts->issuer, "CN=b") << each.name;
  }
}

TEST(CertificateFacts, TellAlternativeNamesApart) {
  const auto names = facts_of(
      {.extensions = alternatives(der(0x82, "a.test, DNS:admin") + der(0x86, "x:\\;\"\n") +
                                  der(0x83, "left out") + der(0x81, "\xff@a") + der(0x82, ""))});
  ASSERT_TRUE(names);
  EXPECT_EQ(names->names,
            "DNS:a.test\\2C\\20DNS:admin, URI:x:\\5C\\3B\\22\\0A, EMAIL:\\FF@a, DNS:");
}

TEST(CertificateFacts, HaveASerialWithoutItsSign) {
  EXPECT_EQ(facts_of({.serial = std::string("\x00\xfe\x01", 3)})->serial, "FE01");
  EXPECT_EQ(facts_of({.serial = std::string("\x00", 1)})->serial, "00");
}

TEST(CertificateFacts, AreReadOfNothingElse) {
  const std::string good = alternatives(der(0x82, "a"));
  const Parts cases[] = {
      {.extensions = good + good},
      {.extensions = alternatives(der(0x82, "a"), der(0x05, ""))},
      {.extensions = alternatives("\x82\x05"
                                  "a")},
      {.extensions = alternatives(der(0x87, "abc"))},
      {.extensions = der(0x30, der(0x06, "\x55\x1d\x11"))},
      {.subject = der(0x31, "")},
      {.subject = der(0x30, "")},
      {.subject = der(0x31, der(0x30, der(0x06, kCommonName)))},
      {.subject = der(0x31, attribute("\x2a\x83", 0x0c, "a"))},
      {.subject = der(0x31, attribute(std::string(12, '\xff') + "\x01", 0x0c, "a"))},
      {.subject = der(0x31, attribute("", 0x0c, "a"))},
      {.behind = "x"},
  };
  for (const Parts& each : cases) {
    EXPECT_FALSE(facts_of(each)) << &each - cases;
  }
  const std::string whole = certificate({.extensions = good});
  ASSERT_TRUE(read_facts(proto::as_bytes(whole)));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_facts(proto::as_bytes(std::string_view(whole).substr(0, size)))) << size;
  }
}

TEST(CertificateFacts, AreAllOrNothing) {
  const auto fits = facts_of({.subject = common_name(std::string(4000, 'a'))});
  ASSERT_TRUE(fits);
  EXPECT_EQ(fits->subject.size(), 4003u);
  const auto too_long = facts_of({.subject = common_name(std::string(1500, '\n'))});
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error(), "certificate says more than servers can be told");
}

}  // namespace
}  // namespace tls::test
