// What [[listen]] and [pool.NAME] say of their TCP connections; the ranges are the kernel's.
#include <fmt/format.h>

#include <array>

#include "gateway/config/sections.hh"

namespace gateway::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kKeepAliveKey = "tcp_keepalive";
constexpr std::array<std::string_view, 3> kKeys = {"tcp_user_timeout", kKeepAliveKey,
                                                   "tcp_notsent_lowat"};
constexpr seconds kKeepAliveTimeMax{32'767};
constexpr size_t kKeepAliveProbesMax = 127;
constexpr size_t kUnsentBytesMax = size_t{1} << 30;

void read_seconds(TableReader& table, std::string_view key, seconds& value) {
  milliseconds read(value);
  table.duration(key, seconds(1), kKeepAliveTimeMax, read);
  value = std::chrono::duration_cast<seconds>(read);
  if (value == read) return;
  table.report().add(table.place(key), fmt::format("'{}' must be whole seconds", key));
}

void read_keep_alive(TableReader& table, uring::TcpKeepAlive& keep_alive) {
  const toml::node* const node = table.take(kKeepAliveKey);
  if (node == nullptr) return;
  if (node->value<std::string_view>() == "off") return;
  if (!node->is_table()) {
    return table.wrong_type(*node, kKeepAliveKey,
                            "{ idle = \"60s\", interval = \"10s\", probes = 3 } or \"off\"");
  }
  table.inner(kKeepAliveKey, [&](TableReader& inner) {
    uring::TcpKeepAlive read{.interval = seconds(10), .probes = 3};
    size_t probes = read.probes;
    read_seconds(inner, "idle", read.idle);
    read_seconds(inner, "interval", read.interval);
    inner.count("probes", kKeepAliveProbesMax, probes);
    read.probes = static_cast<unsigned>(probes);
    if (!inner.has("idle"))
      inner.report().add(inner.place(), "'tcp_keepalive' needs 'idle', such as idle = \"60s\"");
    keep_alive = read;
  });
}

}  // namespace

void read_tcp_options(TableReader& table, bool is_unix, uring::TcpOptions& tcp) {
  std::uint64_t unsent_bytes = tcp.unsent_bytes;
  table.duration_or_off("tcp_user_timeout", tcp.user_timeout);
  read_keep_alive(table, tcp.keep_alive);
  // What is never off has a value of the gateway's own.
  if (unsent_bytes > 0) {
    size_t bytes = unsent_bytes;
    table.size("tcp_notsent_lowat", 1, kUnsentBytesMax, bytes);
    unsent_bytes = bytes;
  } else {
    table.size_or_off("tcp_notsent_lowat", kUnsentBytesMax, unsent_bytes);
  }
  tcp.unsent_bytes = static_cast<std::uint32_t>(unsent_bytes);
  if (!is_unix) return;
  for (const std::string_view key : kKeys) {
    if (!table.has(key)) continue;
    table.report().add(table.place(key), fmt::format("'{}' is for TCP, not for Unix sockets", key));
  }
}

}  // namespace gateway::config
