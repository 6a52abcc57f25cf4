// The dashboard, page.html as it is in the source, a part of the program.
#pragma once

#include <string_view>

namespace gateway::admin {

std::string_view page();

}  // namespace gateway::admin
