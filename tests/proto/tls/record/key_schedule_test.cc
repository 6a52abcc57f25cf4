// The application traffic keys of RFC 8448 section 3, and what follows from them.
#include "proto/tls/record/key_schedule.hh"

#include <gtest/gtest.h>

#include "tests/proto/tls/record/hex.hh"

namespace tls::record::test {
namespace {

const Suite& aes128() {
  return *find_suite(0x1301);
}

TEST(RecordSuite, IsFoundByItsNumber) {
  EXPECT_EQ(find_suite(0x1302)->name, "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(find_suite(0x1302)->secret_size, 48);
  EXPECT_EQ(find_suite(0x1303)->key_size, 32);
  EXPECT_EQ(find_suite(0x1304), nullptr);
  EXPECT_EQ(find_suite(0xc02f), nullptr);
}

TEST(RecordKeys, AreThoseOfRfc8448) {
  const struct {
    const char* secret;
    const char* key;
    const char* iv;
  } sides[] = {
      {"9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
       "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"},
      {"a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
       "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"},
  };
  for (const auto& side : sides) {
    const TrafficKey made = traffic_key(aes128(), Secret(hex(side.secret)));
    EXPECT_EQ(to_hex(made.key.bytes()), side.key);
    EXPECT_EQ(to_hex(made.iv), side.iv);
  }
}

// Section 3, "generate resumption secret": the same function with a context.
TEST(RecordKeys, TakeAContext) {
  Secret psk;
  expand_label(aes128(), hex("7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c"),
               "resumption", hex("0000"), psk.of_size(32));
  EXPECT_EQ(to_hex(psk.bytes()),
            "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3");
}

TEST(RecordKeys, AreOthersAfterAnUpdate) {
  for (const int id : {0x1301, 0x1302, 0x1303}) {
    const Suite& suite = *find_suite(static_cast<std::uint16_t>(id));
    Secret secret(Buffer(suite.secret_size, std::byte{7}));
    const Secret next = next_secret(suite, secret);
    EXPECT_EQ(next.bytes().size(), suite.secret_size);
    EXPECT_NE(to_hex(next.bytes()), to_hex(secret.bytes()));
    EXPECT_NE(to_hex(traffic_key(suite, next).key.bytes()),
              to_hex(traffic_key(suite, secret).key.bytes()));
  }
}

TEST(RecordKeys, MakeANonceOfEachNumber) {
  const Nonce iv = traffic_key(aes128(), Secret(Buffer(32))).iv;
  EXPECT_EQ(nonce_of(iv, 0), iv);
  for (int bit = 0; bit < 64; ++bit) {
    Nonce wanted = iv;
    wanted[static_cast<std::size_t>(11 - bit / 8)] ^= static_cast<std::byte>(1 << bit % 8);
    EXPECT_EQ(nonce_of(iv, std::uint64_t{1} << bit), wanted) << bit;
  }
}

TEST(RecordKeys, AreWiped) {
  Secret secret(Buffer(32, std::byte{7}));
  secret.wipe();
  EXPECT_TRUE(secret.empty());
  EXPECT_EQ(to_hex(secret.of_size(32)), std::string(64, '0'));
}

}  // namespace
}  // namespace tls::record::test
