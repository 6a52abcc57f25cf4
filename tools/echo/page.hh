// The demo page: tools/echo/page.html, put into the program when it is built.
#pragma once

#include <string_view>

namespace echo {

extern const std::string_view kPage;

}  // namespace echo
