// `gateway servers` as words, as a line, and as it is kept in the file of the state.
#include "gateway/config/servers_command.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/config/told_servers.hh"

namespace {

using namespace gateway::config;
using testing::HasSubstr;

std::expected<ServersCommand, std::string> command(const std::string& verb,
                                                   std::vector<std::string> servers,
                                                   const std::string& pool = "chat") {
  return servers_command({pool, verb, std::move(servers)}, "/home/user");
}

std::string texts(const std::vector<ServerEntry>& entries) {
  std::string texts;
  for (const ServerEntry& entry : entries)
    texts += entry.server.text + "=" + std::to_string(entry.server.weight) + " ";
  return texts;
}

TEST(ServersCommand, ReadsBackFromItsLine) {
  const auto meant = command("set", {"10.0.0.7:9001=2", "app.test:9001", "unix:run/a=b",
                                     "unix:run/a=b c=3", "srv:_app._tcp.test=65535"});
  ASSERT_TRUE(meant) << meant.error();
  const std::string line = line_of(*meant);
  EXPECT_EQ(line,
            "servers chat set\t10.0.0.7:9001=2\tapp.test:9001\tunix:/home/user/run/a=b=1\t"
            "unix:/home/user/run/a=b c=3\tsrv:_app._tcp.test=65535");
  ASSERT_TRUE(is_servers_command(line));
  const auto read = servers_command_from(line);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->pool, "chat");
  EXPECT_EQ(read->verb, ServersVerb::set);
  EXPECT_EQ(texts(read->entries), texts(meant->entries));
  EXPECT_EQ(line_of(*servers_command_from("servers chat reset")), "servers chat reset");
}

TEST(ServersCommand, IsRefusedWithWhatIsWrong) {
  const struct {
    const char* line;
    const char* told;
  } cases[] = {
      {"servers ", "'' must be 'set', 'add', 'remove' or 'reset'"},
      {"servers chat", "'' must be 'set'"},
      {"servers chat set", "'set' needs servers"},
      {"servers chat set\t", "'' names no server"},
      {"servers chat add\t10.0.0.1:1\t\t", "'' names no server"},
      {"servers chat reset\t10.0.0.1:1", "'reset' takes no servers"},
      {"servers \x1b[31m set\t10.0.0.1:1", "'?[31m' names no pool"},
      {"servers chat se\x01t\t10.0.0.1:1", "'se?t' must be"},
      {"servers chat set\t10.0.0.1:1\x7f", "'10.0.0.1:1?' names no server"},
      {"servers chat set\t10.0.0.1:1=99999999999999999999",
       "must have a weight between 0 and 65535"},
      {"servers chat set\t10.0.0.1:1=-1", "has no number for a port"},
      {"servers chat set\t*.test:1", "must be a host and a port"},
  };
  for (const auto& one : cases) {
    const auto read = servers_command_from(one.line);
    ASSERT_FALSE(read) << one.line;
    EXPECT_THAT(read.error(), HasSubstr(one.told));
  }
  std::vector<std::string> many;
  for (std::size_t port = 1; port <= kServersMax + 1; ++port)
    many.push_back("10.0.0.1:" + std::to_string(port));
  EXPECT_FALSE(command("set", many));
  EXPECT_FALSE(command("set", {"10.0.0.1:1" + std::string(600, '0')}));
}

TEST(ToldServers, ReadBackFromTheirFile) {
  const auto meant = command("set", {"10.0.0.7:9001=2", "unix:run/a\"b=7"});
  ASSERT_TRUE(meant) << meant.error();
  const ToldServers told = {{"chat", {"10.0.0.1:1", meant->entries}},
                            {"a.b", {"", meant->entries}}};
  const std::string text = print_told_servers(told);
  const auto read = told_servers_from(text, "/state");
  ASSERT_TRUE(read) << read.error() << text;
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at("chat").file, "10.0.0.1:1");
  EXPECT_EQ(texts(read->at("chat").servers), texts(meant->entries));
  EXPECT_EQ(print_told_servers(*read), text);
  EXPECT_TRUE(told_servers_from(print_told_servers({}), "/state")->empty());
}

TEST(ToldServers, AreRefusedWhereTheFileIsNotWholeOrNotTheirs) {
  const auto meant = command("set", {"10.0.0.7:9001=2", "10.0.0.8:9001"});
  const std::string whole = print_told_servers({{"chat", {"10.0.0.1:1", meant->entries}}});
  std::size_t refused = 0;
  for (std::size_t size = 0; size < whole.size(); ++size)
    refused += told_servers_from(whole.substr(0, size), "/state") ? 0 : 1;
  EXPECT_GE(refused + 2, whole.size()) << "but for the line end";
  for (const char* const text :
       {"", "pool = 1", "[pool]\nchat = 1", "[pool.chat]\nfile = 1\nservers = []",
        "[pool.chat]\nfile = \"\"\nservers = []", "[pool.chat]\nfile = \"\"\nservers = [1]",
        "[pool.chat]\nfile = \"\"\nservers = [\"10.0.0.1:1\", \"10.0.0.1:1\"]",
        "[pool.\"a b\"]\nfile = \"\"\nservers = [\"10.0.0.1:1\"]",
        "[pool.chat]\nfile = \"\"\nservers = [\"10.0.0.1:1\"]\nmore = 1", "[other]"}) {
    const auto read = told_servers_from(text, "/state");
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error(), HasSubstr("/state"));
  }
}

}  // namespace
