// What the parts of an exchange know in common: what was asked, by whom, under which configuration,
// and which connection to a server it has now. The exchange owns it; the side that receives a
// head fills that in.
#pragma once

#include <memory_resource>
#include <string>
#include <utility>
#include <vector>

#include "gateway/client/connection.hh"
#include "gateway/config/config.hh"
#include "gateway/exchange/heads.hh"
#include "gateway/exchange/request_marks.hh"
#include "gateway/rewrite/forward.hh"
#include "gateway/shard/shard_generation.hh"
#include "gateway/upstream/upstreams.hh"

namespace gateway {

struct Facts {
  Facts(Connection& client, uring::Held<ShardGeneration> newest)
      : connection(client),
        generation(std::move(newest)),
        heads(client.frames().make<Heads>(&client.frames())),
        request_line(&client.frames()),
        sticky_text(&client.frames()) {}

  const config::Config& config() const { return generation->config(); }

  Connection& connection;                       // to the client
  uring::Held<ShardGeneration> generation;      // in which the request began
  uring::BlockPool::Owned<Heads> heads;         // null: they are not needed any more
  std::pmr::string request_line;                // method, host and path as they are logged
  uring::BlockPool::Owned<RequestMarks> marks;  // null: none are asked for
  std::pmr::string sticky_text;                 // what `sticky` sets
  StickyCookie sticky{};                        // of the response
  const config::Route* route = nullptr;
  UpstreamConnection* upstream = nullptr;  // borrowed
  std::vector<config::Header> identity;    // what its authentication says of the client
  http::Method method = http::Method::kOther;
  bool websocket = false;  // one is asked for
  bool opaque = false;     // another upgrade is asked for, which passes
};

}  // namespace gateway
