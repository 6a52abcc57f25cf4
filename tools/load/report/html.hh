// The report as one HTML file: no script, nothing loaded from elsewhere, light and dark as the
// reader has it, from a phone's 320 pixels up. All text from outside is escaped.
#pragma once

#include <string>

#include "tools/load/report/gates.hh"

namespace load::report {

std::string html_of(const Result& result, const GateResults& gates);

}  // namespace load::report
