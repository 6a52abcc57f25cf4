// [[listen]] and [[listen.names]]: the certificates that clients have to show.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "gateway/config/client_certificates.hh"
#include "gateway/config/names.hh"
#include "gateway/config/network.hh"
#include "gateway/config/pem.hh"
#include "gateway/config/sections.hh"
#include "gateway/config/toml_text.hh"

namespace gateway::config {
namespace {

constexpr std::string_view kCaKey = "client_ca";
constexpr std::string_view kDemandKey = "client_certificates";
constexpr std::string_view kTellsKey = "client_certificate_headers";
constexpr std::string_view kDepthKey = "client_depth";
constexpr std::string_view kCrlKey = "client_crl";
constexpr std::string_view kNamesKey = "names";
constexpr size_t kOff = 2;  // among kDemandNames

unsigned read_depth(TableReader& table) {
  constexpr unsigned kMost = tls::ClientCheck::kDepthMax;
  const toml::node* const node = table.take(kDepthKey);
  if (node == nullptr) return kMost;
  const auto* const number = node->as_integer();
  if (number == nullptr) {
    table.wrong_type(*node, kDepthKey, "a whole number");
  } else if (number->get() < 0 || number->get() > kMost) {
    table.report().add(
        place_of(node->source()),
        fmt::format("'{}' must be between 0 and {}, not {}", kDepthKey, kMost, number->get()));
  } else {
    return static_cast<unsigned>(number->get());
  }
  return kMost;
}

// With the keys that are in the table; nothing: nobody is asked.
std::optional<ClientCertificates> read_demand(TableReader& table,
                                              const std::filesystem::path& folder, PemFiles& pems) {
  Report& report = table.report();
  const auto ca = table.text(kCaKey);
  const auto demand = table.choice(kDemandKey, kDemandNames);
  bool tells = false;
  table.boolean(kTellsKey, tells);
  const unsigned depth = read_depth(table);
  const auto crl = table.text(kCrlKey);
  if (demand == kOff) {
    for (const std::string_view key : {kCaKey, kTellsKey, kDepthKey, kCrlKey}) {
      if (table.has(key))
        report.add(table.place(key), fmt::format("'{}' means nothing where client_certificates is "
                                                 "\"off\": leave one of the two out",
                                                 key));
    }
    return std::nullopt;
  }
  for (const std::string_view key : {kDemandKey, kTellsKey, kDepthKey, kCrlKey}) {
    if (table.has(key) && !table.has(kCaKey))
      report.add(table.place(key),
                 fmt::format("'{}' needs a file of the CAs that may have signed them: "
                             "client_ca = \"ca.pem\"",
                             key));
  }
  if (!ca) return std::nullopt;
  const auto tell = [&](Place place, const LoadedCa& loaded) {
    for (const std::string& fault : loaded.faults) report.add(place, fault);
    for (const std::string& warning : loaded.warnings) report.warn(place, warning);
  };
  ClientCertificates clients{
      .ca_path = path_from(folder, ca->value).string(), .crl_path = {}, .check = {}};
  LoadedCa loaded = load_ca(pems, clients.ca_path, kFromFolderOfFile);
  tell(ca->place, loaded);
  LoadedCa lists;
  if (crl) clients.crl_path = path_from(folder, crl->value).string();
  if (crl && loaded.faults.empty()) {
    lists = load_crl(pems, clients.crl_path, loaded.text, kFromFolderOfFile);
    tell(crl->place, lists);
  }
  clients.check = {.ca = std::move(loaded.text),
                   .required = demand.value_or(0) == 0,
                   .tells = tells,
                   .depth = depth,
                   .crl = std::move(lists.text)};
  return clients;
}

std::string lines_of(const ClientCertificates& clients) {
  const tls::ClientCheck& check = clients.check;
  std::string lines = fmt::format("client_ca = {}\n", quote(clients.ca_path));
  if (!clients.crl_path.empty()) lines += fmt::format("client_crl = {}\n", quote(clients.crl_path));
  return lines + fmt::format(
                     "client_certificates = \"{}\"\nclient_depth = {}\n"
                     "client_certificate_headers = {}\n",
                     kDemandNames[check.required ? 0 : 1], check.depth, check.tells);
}

void read_names(TableReader& table, Tls& tls, NamePolicy& policy) {
  for (Text& text : table.texts(kNamesKey, "[\"example.com\", \"*.example.com\"]")) {
    std::string name = text.value;
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!is_host(name) || name.ends_with('.') || parse_network(name)) {
      table.report().add(text.place,
                         fmt::format("'{}' must be a host name, such as \"example.com\" or "
                                     "\"*.example.com\"",
                                     text.value));
    } else if (!tls.policy_names.add(name, tls.policies.size() + 1)) {
      table.report().add(text.place, fmt::format("'{}' is given twice", text.value));
    } else {
      policy.names.push_back(std::move(name));
    }
  }
  if (!table.has(kNamesKey))
    table.report().add(table.place(),
                       "[[names]] needs 'names', for which it holds, such as names = "
                       "[\"admin.example.com\"]");
}

}  // namespace

void read_clients(TableReader& listen, const std::filesystem::path& folder, PemFiles& pems,
                  std::optional<Tls>& tls) {
  Report& report = listen.report();
  for (const std::string_view key :
       {kCaKey, kDemandKey, kTellsKey, kDepthKey, kCrlKey, kNamesKey}) {
    if (tls || !listen.has(key)) continue;
    report.add(listen.place(key),
               fmt::format("'{}' is for listeners with certificates of their own: such as "
                           "certificates = [\"site.pem\"]",
                           key));
    listen.take(key);
  }
  if (!tls) return;
  tls->clients = read_demand(listen, folder, pems);
  listen.each(kNamesKey, [&](TableReader& table) {
    NamePolicy policy;
    read_names(table, *tls, policy);
    policy.clients = read_demand(table, folder, pems);
    if (!table.has(kCaKey) && !table.has(kDemandKey))
      report.add(table.place(),
                 "what is asked of clients is missing: client_ca = \"ca.pem\", or "
                 "client_certificates = \"off\"");
    tls->policies.push_back(std::move(policy));
  });
}

std::string client_lines(const Tls& tls) {
  std::string lines = tls.clients ? lines_of(*tls.clients) : "";
  for (const NamePolicy& policy : tls.policies) {
    std::vector<std::string> names;
    std::ranges::transform(policy.names, std::back_inserter(names), quote);
    lines +=
        fmt::format("[[listen.names]]\nnames = [{}]\n{}", fmt::join(names, ", "),
                    policy.clients ? lines_of(*policy.clients) : "client_certificates = \"off\"\n");
  }
  return lines;
}

bool covers(const std::optional<ClientCertificates>& one,
            const std::optional<ClientCertificates>& other) {
  if (!other) return true;
  if (!one) return false;
  const tls::ClientCheck& shown = one->check;
  const tls::ClientCheck& wanted = other->check;
  return shown.ca == wanted.ca && (shown.required || !wanted.required) &&
         (shown.tells || !wanted.tells) && shown.depth <= wanted.depth &&
         (wanted.crl.empty() || shown.crl == wanted.crl);
}

}  // namespace gateway::config
