// The figures that a gate can be about, by name.
#pragma once

#include "tools/load/report/gates.hh"

namespace load::gates {

// The error is what is allowed instead.
std::expected<Figure, std::string> parse_figure(std::string_view name);

// "23.4 ms", "1,234", "12,345 /s"
std::string value_text(const Figure& figure, double value);

}  // namespace load::gates
