// [[listen]] with certificates of its own.
#include <fmt/format.h>

#include "gateway/config/pem.hh"
#include "gateway/config/sections.hh"
#include "proto/tls/library.hh"
#include "proto/tls/self_signed.hh"
#include "proto/tls/staple.hh"

namespace gateway::config {
namespace {

constexpr std::string_view kCertificatesForm =
    "\"self-signed\" or a list, such as [\"tls/site.pem\"] or "
    "[{ chain = \"site.pem\", key = \"site.key\" }]";
constexpr std::string_view kIfAbsent =
    "; its path is taken from the folder of the configuration file "
    "(certificates = \"self-signed\" makes one for development)";
constexpr std::string_view kIfKeyless =
    "put the key into it, or name another file with { chain = \"...\", key = \"...\" }";

class CertificateReader {
 public:
  CertificateReader(TableReader& listen, const std::filesystem::path& folder, PemFiles& pems)
      : listen_(listen), report_(listen.report()), folder_(folder), pems_(pems) {}

  std::optional<Tls> read() {
    const toml::node* const node = listen_.take("certificates");
    if (node == nullptr) return std::nullopt;
    Tls tls;
    if (const auto* const list = node->as_array()) {
      if (list->empty())
        report_.add(place_of(node->source()),
                    "'certificates' must not be an empty list; leave it out for plain text");
      for (const toml::node& one : *list) read_one(one, tls);
      return tls;
    }
    const auto text = listen_.text_of(*node, "certificates", kCertificatesForm);
    if (text && text->value != "self-signed") {
      report_.add(text->place, fmt::format("'certificates' must be {}", kCertificatesForm));
    } else if (text) {
      make_self_signed(text->place, tls);
    }
    return tls;
  }

 private:
  void read_one(const toml::node& node, Tls& tls) {
    if (const auto* const table = node.as_table()) {
      TableReader entry(*table, "an entry of 'certificates'", report_, &listen_);
      const auto chain = entry.required_text("chain", "\"site.pem\"");
      const auto key = entry.required_text("key", "\"site.key\"");
      const auto staple = entry.text("ocsp_staple");
      if (chain && key) add(*chain, *key, staple, tls);
    } else if (const auto text = listen_.text_of(node, "certificates", kCertificatesForm)) {
      if (text->value == "self-signed") {
        report_.add(text->place, "\"self-signed\" stands alone: certificates = \"self-signed\"");
      } else {
        add(*text, *text, std::nullopt, tls);
      }
    }
  }

  void add(const Text& chain, const Text& key, const std::optional<Text>& staple, Tls& tls) {
    Certificate certificate{path_from(folder_, chain.value).string(),
                            path_from(folder_, key.value).string(), chain.place};
    LoadedCertificate loaded = load_certificate(pems_, certificate, kIfAbsent, kIfKeyless);
    for (const PemRemark& fault : loaded.faults)
      report_.add(fault.of_key ? key.place : chain.place, fault.message);
    for (const std::string& warning : loaded.warnings) report_.warn(chain.place, warning);
    if (staple) add_staple(*staple, certificate, loaded.pem);
    tls.certificates.push_back(certificate);
    tls.pems.push_back(std::move(loaded.pem));
  }

  void add_staple(const Text& staple, Certificate& certificate, tls::Pem& pem) {
    if (!tls::can_staple())
      return report_.add(staple.place,
                         fmt::format("'ocsp_staple' needs wolfSSL 5.9 or later, and this is {}: "
                                     "build with the pinned one, or leave it out",
                                     tls::library_version()));
    certificate.staple_path = path_from(folder_, staple.value).string();
    LoadedStaple loaded = load_staple(pems_, certificate.staple_path, pem.chain, kFromFolderOfFile);
    for (const std::string& fault : loaded.faults) report_.add(staple.place, fault);
    for (const std::string& warning : loaded.warnings) report_.warn(staple.place, warning);
    certificate.staple_until = loaded.until;
    pem.staple = std::move(loaded.der);
  }

  void make_self_signed(Place place, Tls& tls) {
    auto made = tls::make_self_signed();
    if (!made) return report_.add(place, made.error());
    tls.self_signed = true;
    tls.pems.push_back(*std::move(made));
    report_.warn(place,
                 "a self-signed certificate for localhost is for development only, and browsers "
                 "will warn; for real use write certificates = [\"site.pem\"]");
  }

  TableReader& listen_;
  Report& report_;
  const std::filesystem::path& folder_;
  PemFiles& pems_;
};

}  // namespace

std::optional<Tls> read_listener_tls(TableReader& listen, const std::filesystem::path& folder,
                                     PemFiles& pems) {
  std::optional<Tls> tls = CertificateReader(listen, folder, pems).read();
  read_clients(listen, folder, pems, tls);
  return tls;
}

}  // namespace gateway::config
