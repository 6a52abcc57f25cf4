// The clients' connections of one shard. They belong to this table until each says that nothing of
// it is in flight any more. Who walks through it may stop on the way, for turns in which they come
// and go.
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
    for (Walk* walk = walks_.first_or_null(); walk != nullptr; walk = walks_.behind(*walk)) {
      if (walk->next_ == &connection) walk->next_ = list_.behind(connection);
    }
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

  // Through all that are there from its beginning to its end, and some of those that come
  // meanwhile: the oldest first, so their ids rise. The table outlives it.
  class Walk : private uring::ListEntry {
   public:
    explicit Walk(Connections& table) : table_(table), next_(table.list_.first_or_null()) {
      table_.walks_.push(*this);
    }
    ~Walk() { unlist(); }
    // Another one, from where this one is.
    Walk(const Walk& other) : uring::ListEntry(), table_(other.table_), next_(other.next_) {
      table_.walks_.push(*this);
    }
    Walk& operator=(const Walk&) = delete;

    // What the next step gives; null at the end, whoever comes then.
    Connection* next() const { return next_; }

    // Null at the end.
    Connection* step() {
      Connection* const connection = next_;
      if (connection != nullptr) next_ = table_.list_.behind(*connection);
      return connection;
    }

   private:
    friend class Connections;
    friend class uring::List<Walk>;
    Connections& table_;
    Connection* next_;
  };

 private:
  uring::List<Connection> list_;
  uring::List<Walk> walks_;
  std::size_t count_ = 0;
};

}  // namespace gateway
