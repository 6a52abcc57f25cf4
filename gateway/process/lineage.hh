// What a process has of those before and after it: made at the very start, before there are
// threads.
#pragma once

#include <memory>
#include <string>

#include "gateway/process/handover.hh"
#include "gateway/process/spawner.hh"

namespace gateway {

struct Lineage {
  std::unique_ptr<Handover> handover;  // null: it succeeds nobody
  std::unique_ptr<Spawner> spawner;    // null: it will have no successor
  std::string why_no_spawner;          // a whole sentence, then
};

}  // namespace gateway
