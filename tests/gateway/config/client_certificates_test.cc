// What listeners ask of clients' certificates, and the files with which they do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/config/files_stand.hh"

namespace gateway::config {
namespace {

using testing::ElementsAre;

using ClientCertificatesFiles = ConfigFiles;

TEST_F(ClientCertificatesFiles, ReadsWhoseCertificatesClientsHaveToShow) {
  const struct {
    const char* lines;
    bool required;
  } cases[] = {
      {"client_ca = \"tls/chain.pem\"", true},
      {"client_ca = \"tls/chain.pem\"\nclient_certificates = \"required\"", true},
      {"client_certificates = \"optional\"\nclient_ca = \"tls/chain.pem\"", false},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.lines);
    const auto config =
        read_file(write_config("[\"tls/both.pem\"]\n" + std::string(each.lines)), resolve_for_test);
    ASSERT_TRUE(config) << config.error().front().text();
    const auto& clients = config->listeners.at(0).tls.value().clients.value();
    EXPECT_EQ(clients.ca_path, folder_ / "tls/chain.pem");
    EXPECT_EQ(clients.check.ca, site().chain);
    EXPECT_EQ(clients.check.required, each.required);
    EXPECT_THAT(
        to_toml(*config),
        testing::HasSubstr("client_ca = \"" + clients.ca_path + "\"\nclient_certificates = \"" +
                           (each.required ? "required" : "optional") +
                           "\"\nclient_depth = 3\nclient_certificate_headers = false\n"));
  }
  const auto none = read_file(write_config("[\"tls/both.pem\"]"), resolve_for_test);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->listeners.at(0).tls.value().clients);
}

TEST_F(ClientCertificatesFiles, ReadsWhatNamesAskOfTheirClients) {
  const auto config = read_file(
      write_config("[\"tls/both.pem\"]\nclient_ca = \"tls/chain.pem\"\n"
                   "[[listen.names]]\nnames = \"Open.test\"\nclient_certificates = \"off\"\n"
                   "[[listen.names]]\nnames = [\"a.test\", \"*.b.test\"]\n"
                   "client_ca = \"tls/chain.pem\"\nclient_certificates = \"optional\"\n"
                   "client_depth = 0\nclient_certificate_headers = true\n"),
      resolve_for_test);
  ASSERT_TRUE(config) << config.error().front().text();
  const Tls& tls = config->listeners.at(0).tls.value();
  EXPECT_FALSE(tls.clients_for("open.test"));
  for (const char* const name : {"", "else.test", "b.test"}) {
    EXPECT_EQ(&tls.clients_for(name), &tls.clients) << name;
  }
  for (const char* const name : {"A.test", "x.b.test", "x.y.b.test."}) {
    EXPECT_EQ(tls.clients_for(name).value().check,
              (tls::ClientCheck{.ca = site().chain, .required = false, .tells = true, .depth = 0}))
        << name;
  }
  const std::string ca = "client_ca = \"" + (folder_ / "tls/chain.pem").string() + "\"\n";
  EXPECT_THAT(to_toml(*config),
              testing::HasSubstr("[[listen.names]]\nnames = [\"open.test\"]\n"
                                 "client_certificates = \"off\"\n"
                                 "[[listen.names]]\nnames = [\"a.test\", \"*.b.test\"]\n" +
                                 ca +
                                 "client_certificates = \"optional\"\nclient_depth = 0\n"
                                 "client_certificate_headers = true\n"));
}

TEST_F(ClientCertificatesFiles, NamesWhatIsWrongWithClientsCertificates) {
  const struct {
    const char* lines;
    const char* error;
  } cases[] = {
      {"client_ca = \"tls/none.pem\"",
       "4:13: error: CA file 'DIR/tls/none.pem' does not exist; its path is taken from the folder "
       "of "
       "the configuration file"},
      {"client_ca = \"tls/key.pem\"",
       "4:13: error: CA file 'DIR/tls/key.pem' holds no certificate, only EC PRIVATE KEY; name the "
       "file that has the CA's certificate"},
      {"client_certificates = \"optional\"",
       "4:23: error: 'client_certificates' needs a file of the CAs that may have signed them: "
       "client_ca = \"ca.pem\""},
      {"client_ca = \"tls/chain.pem\"\nclient_certificates = \"options\"",
       "5:23: error: 'client_certificates' must be one of required, optional, off, not 'options'; "
       "did you mean 'optional'?"},
      {"client_certificate_headers = true",
       "4:30: error: 'client_certificate_headers' needs a file of the CAs that may have signed "
       "them: client_ca = \"ca.pem\""},
      {"client_ca = \"tls/chain.pem\"\nclient_certificates = \"off\"",
       "4:13: error: 'client_ca' means nothing where client_certificates is \"off\": leave one of "
       "the two out"},
      {"names = [{ names = \"a.test\" }]",
       "4:10: error: what is asked of clients is missing: client_ca = \"ca.pem\", or "
       "client_certificates = \"off\""},
      {"names = [{ client_certificates = \"off\" }]",
       "4:10: error: [[names]] needs 'names', for which it holds, such as names = "
       "[\"admin.example.com\"]"},
      {"names = [{ names = \"*.10.0.0.1:80\", client_certificates = \"off\" }]",
       "4:20: error: '*.10.0.0.1:80' must be a host name, such as \"example.com\" or "
       "\"*.example.com\""},
      {"names = [{ names = [\"a.test\", \"A.test\"], client_certificates = \"off\" }]",
       "4:31: error: 'A.test' is given twice"},
      {"names = [{ names = \"192.0.2.7\", client_certificates = \"off\" }]",
       "4:20: error: '192.0.2.7' must be a host name, such as \"example.com\" or "
       "\"*.example.com\""},
      {"names = [{ names = \"a.test\", client_certificates = \"optional\" }]",
       "4:52: error: 'client_certificates' needs a file of the CAs that may have signed them: "
       "client_ca = \"ca.pem\""},
      {"client_ca = \"tls/chain.pem\"\nclient_depth = 4",
       "5:16: error: 'client_depth' must be between 0 and 3, not 4"},
      {"client_crl = \"tls/none.pem\"",
       "4:14: error: 'client_crl' needs a file of the CAs that may have signed them: client_ca = "
       "\"ca.pem\""},
      {"client_ca = \"tls/chain.pem\"\nclient_crl = \"tls/none.pem\"",
       "5:14: error: CRL file 'DIR/tls/none.pem' does not exist; its path is taken from the folder "
       "of the configuration file"},
      {"client_depth = 1",
       "4:16: error: 'client_depth' needs a file of the CAs that may have signed them: client_ca = "
       "\"ca.pem\""},
      {"client_ca = 7", "4:13: error: 'client_ca' must be a string in quotes, not an integer"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.lines);
    EXPECT_THAT(errors(write_config("[\"tls/both.pem\"]\n" + std::string(each.lines))),
                ElementsAre("DIR/gateway.conf:" + std::string(each.error)));
  }
  const std::string plain = "[[listen]]\naddress = \"127.0.0.1:1\"\n";
  for (const std::string key : {"client_ca", "client_certificates", "client_depth", "client_crl",
                                "client_certificate_headers", "names"}) {
    EXPECT_THAT(errors(write("gateway.conf", plain + key + " = \"required\"\n" +
                                                 std::string(kPool) + std::string(kRoute))),
                ElementsAre(testing::HasSubstr("error: '" + key +
                                               "' is for listeners with "
                                               "certificates of their own: such as certificates = "
                                               "[\"site.pem\"]")));
  }
}

}  // namespace
}  // namespace gateway::config
