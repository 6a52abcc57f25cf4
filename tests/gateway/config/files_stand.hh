// A configuration in a folder of its own, with the files that it may name.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "proto/tls/self_signed.hh"
#include "tests/gateway/config/text.hh"
#include "tests/temporary_folder.hh"

namespace gateway::config {

inline const tls::Pem& site() {
  static const tls::Pem pem = tls::make_self_signed().value();
  return pem;
}
inline constexpr std::string_view kEncryptedKey =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END ENCRYPTED PRIVATE KEY-----\n";

// A folder of its own for each test, with PEM files in `tls`.
class ConfigFiles : public testing::Test {
 protected:
  ConfigFiles() {
    std::filesystem::create_directory(folder_ / "tls");
    write("tls/both.pem", site().chain + site().key);
    write("tls/chain.pem", site().chain);
    write("tls/key.pem", site().key);
    write("tls/encrypted.pem", site().chain + std::string(kEncryptedKey));
    write("tls/other.pem", tls::make_self_signed().value().key);
    write("tls/empty.pem", "");
  }

  std::filesystem::path write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  std::filesystem::path write_config(const std::string& certificates) {
    return write("gateway.conf",
                 "[[listen]]\naddress = \"127.0.0.1:8443\"\ncertificates = " + certificates + "\n" +
                     std::string(kPool) + std::string(kRoute));
  }
  std::filesystem::path write_pool(const std::string& tls,
                                   const std::string& servers = "\"127.0.0.1:1\"") {
    return write("gateway.conf", "\n[pool.app]\nservers = " + servers + "\n[pool.app.tls]\n" + tls +
                                     "\n" + std::string(kListen) + std::string(kRoute));
  }
  // Errors with the folder's name replaced by "DIR".
  std::vector<std::string> errors(const std::filesystem::path& file) {
    std::vector<std::string> texts;
    const auto config = read_file(file, resolve_for_test);
    if (config) return texts;
    for (const Error& error : config.error()) texts.push_back(without_folder(error.text()));
    return texts;
  }
  std::string without_folder(std::string text) const {
    for (size_t at = 0; (at = text.find(folder_.string(), at)) != text.npos;)
      text.replace(at, folder_.string().size(), "DIR");
    return text;
  }

  const TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

}  // namespace gateway::config
