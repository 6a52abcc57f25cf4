// The clients' connections of one shard. They belong to this table until each says that nothing of
// it is in flight any more.
#pragma once

#include <cstddef>

#include "gateway/client/connection.hh"

namespace gateway {

class Connections {
 public:
  using Owned = uring::BlockPool::Owned<Connection>;

  Connections() = default;
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  Connection& add(Owned connection) {
    list_.push(*connection);
    ++count_;
    return *connection.release();
  }
  void forget(Connection& connection) {
    const Owned owned(&connection);
    connection.unlist();
    --count_;
  }

  std::size_t count() const { return count_; }
  bool empty() const { return count_ == 0; }

  // Nobody is forgotten meanwhile. Until visit(connection) gives true.
  template <class Visit>
  void for_each_until(Visit visit) {
    list_.find_from_last(visit);
  }
  // Nobody is forgotten meanwhile.
  template <class Visit>
  void for_each(Visit visit) {
    list_.find_from_last([&](Connection& connection) {
      visit(connection);
      return false;
    });
  }

 private:
  uring::List<Connection> list_;
  std::size_t count_ = 0;
};

}  // namespace gateway
