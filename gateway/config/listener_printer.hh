// How `gateway -t` prints what is listened on: parts of [[listen]], and [admin].
#pragma once

#include <string>

#include "gateway/config/admin_settings.hh"
#include "gateway/config/listener_tls.hh"
#include "gateway/config/unix_file.hh"

namespace gateway::config {

// Whole lines, each with its end.
std::string unix_file_lines(const UnixFile& file);
std::string tls_lines(const Tls& tls);
// With the table's own; the token itself is not shown.
std::string admin_lines(const AdminSettings& admin);

}  // namespace gateway::config
