// The file that says which process serves: one line with its number, for those who send it signals.
// Written once the process listens; it goes at the end, unless a successor has put its own there.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "gateway/config/account.hh"

namespace gateway {

class PidFile {
 public:
  // While what root may do can still be done; where the account may write, the file is its own. The
  // error is a whole sentence.
  static std::expected<std::unique_ptr<PidFile>, std::string> write(
      const std::string& path, const std::optional<config::Account>& account);
  // Whether write() would be allowed it, with the same words; changes nothing.
  static std::expected<void, std::string> check(const std::string& path);
  // From here on the file is the successor's, who has not written it yet, or is not any more.
  void leave_to_successor(bool leaves) { is_successors_ = leaves; }
  // Where the folder is not the process's any more, an empty file stays.
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  explicit PidFile(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  bool is_successors_ = false;
};

}  // namespace gateway
