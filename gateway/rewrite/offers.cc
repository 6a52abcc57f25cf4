#include "gateway/rewrite/offers.hh"

#include "gateway/rewrite/fields.hh"
#include "proto/http/field.hh"
#include "proto/http/syntax.hh"

namespace gateway {
namespace {

constexpr std::string_view kExtensions = "Sec-WebSocket-Extensions";
constexpr std::string_view kProtocol = "Sec-WebSocket-Protocol";

// Messages that are inflated on their way are others than those that an extension has made: so none
// is agreed on through the gateway then.
ws::ExtensionPolicy extension_policy(config::Compression compression) {
  switch (compression) {
    case config::Compression::pass:
      return ws::ExtensionPolicy::kAll;
    case config::Compression::off:
      return ws::ExtensionPolicy::kUncompressing;
    case config::Compression::terminate:
      break;
  }
  return ws::ExtensionPolicy::kNone;
}

// Calls visit(element, whether it passes) for each element that is not empty.
template <class Visit>
void for_each_offer(std::string_view name, std::string_view value, const ws::OfferPolicy& policy,
                    Visit visit) {
  if (http::equals_ignoring_case(name, kExtensions)) {
    ws::ExtensionReader extensions(std::span(&value, 1));
    while (const auto extension = extensions.next()) {
      visit(extension->text, policy.passes_extension(extension->name));
    }
    return;
  }
  http::ListReader protocols(value);
  while (const auto protocol = protocols.next()) {
    if (!protocol->empty()) visit(*protocol, policy.passes_subprotocol(*protocol));
  }
}

}  // namespace

ws::OfferPolicy offer_policy(const config::WebSocket& websocket) {
  return {.subprotocols = websocket.subprotocols,
          .extensions = extension_policy(websocket.compression)};
}

std::optional<ws::Deflate> agree_on_deflate(const config::WebSocket& websocket,
                                            std::span<const std::string_view> offers,
                                            bool may_keep_contexts) {
  if (websocket.compression != config::Compression::terminate) return std::nullopt;
  const bool keeps = websocket.context_takeover && may_keep_contexts;
  return ws::answer_to(offers, {.server_context = keeps, .client_context = keeps});
}

bool is_offer(std::string_view field_name) {
  return equals_as_variable(field_name, kExtensions) || equals_as_variable(field_name, kProtocol);
}

void add_offers(std::string& head, std::string_view name, std::string_view value,
                const ws::OfferPolicy& policy) {
  const bool resembles_only = !http::equals_ignoring_case(name, kExtensions) &&
                              !http::equals_ignoring_case(name, kProtocol);
  if (resembles_only) return;
  const std::size_t line_at = head.size();
  head.append(name).append(": ");
  const std::size_t value_at = head.size();
  bool all_pass = true;
  for_each_offer(name, value, policy, [&](std::string_view offer, bool passes) {
    all_pass = all_pass && passes;
    if (!passes) return;
    if (head.size() > value_at) head.append(", ");
    head.append(offer);
  });
  if (head.size() == value_at) return head.resize(line_at);
  if (all_pass) head.replace(value_at, head.npos, value);
  head.append("\r\n");
}

void add_agreement(std::string& head, const ws::Deflate& deflate) {
  head.append(kExtensions).append(": ");
  ws::append_deflate(head, deflate);
  head.append("\r\n");
}

}  // namespace gateway
