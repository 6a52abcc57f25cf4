// The file of what the gateway was told and is to remember ([control] state): always whole, since a
// newer one takes the place of the one before in one step. Nobody else may read it. Waits for the
// disk: on the main thread, when something is told.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace gateway {

// Fails with a whole sentence; then the file is as it was.
std::expected<void, std::string> write_state_file(const std::string& path, std::string_view text);

// Empty: there is none. Fails with a whole sentence.
std::expected<std::string, std::string> read_state_file(const std::string& path);

}  // namespace gateway
