// [[listen]]: addresses and certificates.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "gateway/config/sections.hh"

namespace gateway::config {
namespace {

constexpr std::string_view kCertificatesForm =
    "\"self-signed\" or a list, such as [\"tls/site.pem\"] or "
    "[{ chain = \"site.pem\", key = \"site.key\" }]";
constexpr size_t kPemBytesMax = 1 << 20;

// What is wrong with a PEM file, in words that fit behind its name; or its text.
std::expected<std::string, std::string> read_pem(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 && errno == ENOENT)
    return std::unexpected(
        "does not exist; its path is taken from the folder of the configuration file "
        "(certificates = \"self-signed\" makes one for development)");
  if (S_ISDIR(status.st_mode)) return std::unexpected("is a folder, not a PEM file");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return std::unexpected(fmt::format(
        "cannot be read: {}; let the user that runs the gateway read it", std::strerror(errno)));
  std::string text(kPemBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad()) return std::unexpected("cannot be read");
  if (text.size() > kPemBytesMax) return std::unexpected("is larger than 1MiB: no PEM file");
  return text;
}

class CertificateReader {
 public:
  CertificateReader(Fields& listen, const std::filesystem::path& folder)
      : listen_(listen), report_(listen.report()), folder_(folder) {}

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
    if (text && text->value != "self-signed")
      report_.add(text->place, fmt::format("'certificates' must be {}", kCertificatesForm));
    tls.self_signed = true;
    return tls;
  }

 private:
  void read_one(const toml::node& node, Tls& tls) {
    if (const auto* const table = node.as_table()) {
      Fields fields(*table, "an entry of 'certificates'", report_, &listen_);
      const auto chain = fields.required_text("chain", "\"site.pem\"");
      const auto key = fields.required_text("key", "\"site.key\"");
      if (chain && key) add(*chain, *key, tls);
    } else if (const auto text = listen_.text_of(node, "certificates", kCertificatesForm)) {
      if (text->value == "self-signed") {
        report_.add(text->place, "\"self-signed\" stands alone: certificates = \"self-signed\"");
      } else {
        add(*text, *text, tls);
      }
    }
  }

  void add(const Text& chain, const Text& key, Tls& tls) {
    const Certificate certificate{path_from(folder_, chain.value).string(),
                                  path_from(folder_, key.value).string(), chain.place};
    check(certificate, chain.place, key.place);
    tls.certificates.push_back(certificate);
  }

  // Only what a person gets wrong with files; the TLS engine judges the rest.
  void check(const Certificate& certificate, Place chain_place, Place key_place) {
    const bool one_file = certificate.chain_path == certificate.key_path;
    const auto complain = [&](Place place, const std::string& path, std::string_view what) {
      report_.add(place, fmt::format("certificate file '{}' {}", path, what));
    };
    const auto chain = read_pem(certificate.chain_path);
    if (!chain) {
      complain(chain_place, certificate.chain_path, chain.error());
    } else if (chain->find("-----BEGIN CERTIFICATE-----") == chain->npos) {
      complain(chain_place, certificate.chain_path, "holds no certificate in PEM form");
    }
    const auto key = one_file ? chain : read_pem(certificate.key_path);
    if (!key) {
      if (!one_file) complain(key_place, certificate.key_path, key.error());
    } else if (key->find("ENCRYPTED") != key->npos) {
      complain(key_place, certificate.key_path,
               "holds a key that is encrypted; store it decrypted, readable by the gateway alone");
    } else if (key->find("PRIVATE KEY-----") == key->npos) {
      complain(key_place, certificate.key_path,
               "holds no private key; put the key into it, or name another file with "
               "{ chain = \"...\", key = \"...\" }");
    }
  }

  Fields& listen_;
  Report& report_;
  const std::filesystem::path& folder_;
};

std::optional<Address> read_address(Fields& listen, Place& place) {
  const auto text = listen.required_text("address", "\"127.0.0.1:8080\"");
  if (!text) return std::nullopt;
  place = text->place;
  const auto where = split_host_port(text->value);
  if (!where) {
    listen.report().add(place, fmt::format("'{}' {}", text->value, where.error()));
    return std::nullopt;
  }
  const auto address = literal_address(*where);
  if (!address)
    listen.report().add(place, fmt::format("'{}' must begin with an IP address, such as "
                                           "\"0.0.0.0:{}\" or \"[::]:{}\" for all of the machine's",
                                           text->value, where->port, where->port));
  return address;
}

// [::] takes IPv4 as well, so 0.0.0.0 with the same port is the same address.
bool collide(const Address& one, const Address& other) {
  const auto all = [](const Address& address) {
    return address.text() == fmt::format("[::]:{}", address.port());
  };
  const auto all_v4 = [](const Address& address) {
    return address.text() == fmt::format("0.0.0.0:{}", address.port());
  };
  if (one.port() != other.port()) return false;
  return one == other || (all(one) && all_v4(other)) || (all_v4(one) && all(other));
}

}  // namespace

void read_listeners(Fields& file, const std::filesystem::path& folder, Config& config) {
  file.each("listen", [&](Fields& listen) {
    Listener listener;
    const auto address = read_address(listen, listener.place);
    listener.tls = CertificateReader(listen, folder).read();
    if (!address) return;
    listener.address = *address;
    for (const Listener& other : config.listeners) {
      if (!collide(*address, other.address)) continue;
      listen.report().add(listener.place,
                          fmt::format("'{}' is taken: '{}' in line {} listens there already",
                                      address->text(), other.address.text(), other.place.line));
      break;
    }
    config.listeners.push_back(std::move(listener));
  });
}

}  // namespace gateway::config
