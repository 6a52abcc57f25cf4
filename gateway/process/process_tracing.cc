// The export of spans: from the log's records, by the settings that serve, until the end.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <string>

#include "gateway/process/process.hh"
#include "gateway/upstream/client_context.hh"
#include "uring/check.hh"
#include "uring/probe.hh"

namespace gateway {
namespace {

std::string name_of_host() {
  std::array<char, 256> name{};
  // A name that is cut has no end of its own.
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

}  // namespace

std::expected<void, std::string> Process::make_exporter() {
  const std::string host = name_of_host();
  exporter_.emplace(tracing::Exporter::Parts{
      .links = main_links_->resources(),
      .log = log_,
      .queue = spans_,
      .servers_of =
          [this](const std::string& pool) {
            return server_lists_->has(pool) ? server_lists_->servers_of(pool)
                                            : std::vector<config::Server>();
          },
      .instance = fmt::format("{}-{}", host.empty() ? "gateway" : host, getpid()),
      .host = host});
  if (const int error = exporter_->open(); error != 0)
    return std::unexpected(uring::explain_ring_error(error));
  return {};
}

void Process::export_by_settings() {
  if (!config().tracing) return exporter_->go_by(std::nullopt);
  const config::Pool& pool = config().pools[config().tracing->pool];
  std::shared_ptr<tls::ClientContext> tls;
  if (pool.tls) {
    auto loaded = load_client_context(pool, &main_links_->records());
    CHECK(loaded.has_value(), "certificates that were checked at the load can be used");
    tls = std::move(*loaded);
  }
  exporter_->go_by(tracing::Exporter::Collector{.generation = generation_, .tls = std::move(tls)});
}

// What the last requests have logged is on its way still.
uring::Task<> Process::export_the_last() {
  if (config().tracing) log_writer_->flush();
  co_await exporter_->stop();
  log_writer_->set_span_tap(nullptr);
}

}  // namespace gateway
