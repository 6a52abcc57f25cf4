// OCSP responses that the configuration names beside its certificates.
#include <gmock/gmock.h>

#include "gateway/config/difference.hh"
#include "gateway/config/reader.hh"
#include "proto/tls/staple.hh"
#include "tests/gateway/config/files_stand.hh"
#include "tests/proto/tls/authority.hh"

namespace gateway::config {
namespace {

constexpr const char* kWith =
    "[{ chain = \"site.pem\", key = \"site.pem\", ocsp_staple = \"site.ocsp\" }]";

class ConfigStaples : public ConfigFiles {
 protected:
  ConfigStaples() {
    write("site.pem", pem_.chain + pem_.key);
    write("site.ocsp", response_);
  }
  void SetUp() override {
    if (!tls::can_staple()) GTEST_SKIP() << "this library cannot show OCSP responses";
  }

  const tls::test::Authority authority_;
  const tls::Pem pem_ =
      authority_.issue({.extensions = "subjectAltName=DNS:site.test\n"}, "site.test");
  const std::string response_ = authority_.respond(pem_.chain);
};

TEST_F(ConfigStaples, AreReadPrintedAndNoted) {
  FilesRead files;
  const auto config = read_file(write_config(kWith), resolve_for_test, &files);
  ASSERT_TRUE(config);
  const Tls& tls = config->listeners.at(0).tls.value();
  EXPECT_EQ(tls.pems.at(0).staple, response_);
  EXPECT_GT(tls.certificates.at(0).staple_until, std::time(nullptr));
  const std::string path = folder_ / "site.ocsp";
  EXPECT_EQ(tls.certificates[0].staple_path, path);
  EXPECT_TRUE(files.contains(path));
  const std::string printed = to_toml(*config);
  EXPECT_THAT(printed, testing::HasSubstr("ocsp_staple = \"" + path + "\" }"));
  const auto again = read(printed, "/elsewhere/gateway.conf");
  ASSERT_TRUE(again);
  EXPECT_TRUE(compare(*config, *again).changes.empty());
}

TEST_F(ConfigStaples, OfARenewedOneTheListenerHasChanged) {
  const auto before = read_file(write_config(kWith), resolve_for_test);
  write("site.ocsp", authority_.respond(pem_.chain, "-ndays 3"));
  const auto now = read_file(write_config(kWith), resolve_for_test);
  const auto without = read_file(write_config("[\"site.pem\"]"), resolve_for_test);
  ASSERT_TRUE(before && now && without);
  EXPECT_EQ(compare(*before, *now).changes.size(), 1u);
  EXPECT_EQ(compare(*now, *without).changes.size(), 1u);
}

TEST_F(ConfigStaples, WhatIsWrongIsToldWithItsPlace) {
  const std::string place = "DIR/gateway.conf:3:71: error: ";
  write("site.ocsp", "no response");
  EXPECT_THAT(errors(write_config(kWith)),
              testing::ElementsAre(
                  testing::StartsWith(place + "OCSP file 'DIR/site.ocsp' holds no OCSP response")));
  std::filesystem::remove(folder_ / "site.ocsp");
  FilesRead files;
  EXPECT_FALSE(read_file(write_config(kWith), resolve_for_test, &files));
  EXPECT_TRUE(files.contains(folder_ / "site.ocsp"));
  EXPECT_THAT(errors(write_config(kWith)),
              testing::ElementsAre(
                  testing::StartsWith(place + "OCSP file 'DIR/site.ocsp' does not exist")));
  EXPECT_THAT(errors(write_config("[{ chain = \"site.pem\", key = \"site.pem\", ocsp = 1 }]")),
              testing::ElementsAre(testing::HasSubstr("unknown key 'ocsp'")));
}

}  // namespace
}  // namespace gateway::config
