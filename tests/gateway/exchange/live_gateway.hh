// The whole gateway in the test's own process, on the real ring, between sockets that the test
// plays: a client's and an upstream's. It stops when it is destroyed, and its log is read then or
// while it runs.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "gateway/config/reader.hh"
#include "gateway/process/process.hh"
#include "tests/gateway/free_port.hh"
#include "tests/gateway/plain_peer.hh"
#include "tests/temporary_folder.hh"

class LiveGateway {
 public:
  // `more` is TOML behind what is always there. It serves from start() on; what comes before waits.
  explicit LiveGateway(std::uint16_t upstream_port, const std::string& more = "")
      : LiveGateway(std::vector{upstream_port}, more) {}

  // As above, with one server that has an address for each port.
  explicit LiveGateway(const std::vector<std::uint16_t>& ports, const std::string& more = "") {
    port_ = free_port();
    const std::string text =
        "shards = 1\nseccomp = \"off\"\n[[listen]]\naddress = \"127.0.0.1:" +
        std::to_string(port_) +
        "\"\n[pool.app]\nservers = [\"127.0.0.1:1\"]\n[[route]]\npool = \"app\"\n[log]\nfile = \"" +
        log_file() + "\"\n" + more;
    const auto read = [text, ports, file = folder_ + "/gateway.conf"](gateway::config::FilesRead&) {
      auto config = gateway::config::read_text(text, file);
      if (config) place_server(ports, config->pools.at(0));
      return config;
    };
    gateway::config::FilesRead files;
    auto config = read(files);
    EXPECT_TRUE(config.has_value()) << (config ? "" : config.error().front().text());
    auto process = gateway::Process::create(
        {}, std::make_shared<const gateway::config::Generation>(1u, std::move(*config)), read);
    EXPECT_TRUE(process.has_value()) << (process ? "" : process.error());
    process_ = std::move(*process);
  }

  ~LiveGateway() {
    if (thread_.joinable()) stop(SIGINT);
    process_.reset();
  }

  void start() {
    thread_ = std::thread([this] { process_->run(); });
  }

  // Until it has ended.
  void stop(int signal) {
    kill(getpid(), signal);
    thread_.join();
  }

  PlainPeer connect() const { return PlainPeer::connect(port_); }

  // Waits until a line of the log holds the text, at most some seconds; gives the line.
  std::string wait_for_log(const std::string& text) const {
    for (int tries = 0; tries < 2000; ++tries) {
      std::ifstream log(log_file());
      for (std::string line; std::getline(log, line);) {
        if (line.find(text) != std::string::npos) return line;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::stringstream all;
    all << std::ifstream(log_file()).rdbuf();
    ADD_FAILURE() << "the log never says " << text << ":\n" << all.str();
    return {};
  }

 private:
  static void place_server(const std::vector<std::uint16_t>& ports, gateway::config::Pool& pool) {
    gateway::config::Server server{.text = "app.test:1", .host = "app.test"};
    for (const std::uint16_t port : ports)
      server.addresses.push_back(*gateway::config::literal_address({"127.0.0.1", port}));
    pool.servers = {server};
    pool.entries = {{.server = server}};
  }

  std::string log_file() const { return folder_ + "/log"; }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
  std::uint16_t port_ = 0;
  std::unique_ptr<gateway::Process> process_;
  std::thread thread_;
};
