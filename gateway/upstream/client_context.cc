#include "gateway/upstream/client_context.hh"

namespace gateway {

std::expected<std::unique_ptr<tls::ClientContext>, std::string> load_client_context(
    const config::Pool& pool, tls::RecordBuffers* buffers) {
  tls::ClientOptions options{.verify = pool.tls->verify};
  if (options.verify) options.ca = pool.tls->ca;
  auto context = tls::ClientContext::load(options, buffers);
  if (!context) {
    return std::unexpected("pool." + pool.name + ".tls (" + pool.tls->ca_path +
                           "): " + context.error());
  }
  return context;
}

}  // namespace gateway
