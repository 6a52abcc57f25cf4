// Intrusive lists: an entry lives in its owner, is in one list at most, and costs neither memory
// nor a search to take out again. Who is in a list must not die there: what derives from ListEntry
// says so with a CHECK of its own.
#pragma once

namespace uring {

class ListEntry {
 public:
  ListEntry() = default;
  ListEntry(const ListEntry&) = delete;
  ListEntry& operator=(const ListEntry&) = delete;

  bool listed() const { return next_ != nullptr; }

  // Takes it out of the list that it is in, if any.
  void unlist() {
    if (!listed()) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

 private:
  template <class T>
  friend class List;
  ListEntry* next_ = nullptr;
  ListEntry* previous_ = nullptr;
};

// Oldest first. `T` derives from ListEntry and befriends the list where it does so privately.
template <class T>
class List {
 public:
  List() { ends_.next_ = ends_.previous_ = &ends_; }

  bool empty() const { return ends_.next_ == &ends_; }
  T& first() { return static_cast<T&>(*ends_.next_); }
  // Null at the end.
  T* first_or_null() { return empty() ? nullptr : &first(); }
  T* behind(T& element) {
    ListEntry* const next = static_cast<ListEntry&>(element).next_;
    return next == &ends_ ? nullptr : static_cast<T*>(next);
  }
  T& last() { return static_cast<T&>(*ends_.previous_); }

  // Takes its place at the end; who is in a list already stays where it is.
  void push(T& element) {
    ListEntry& entry = element;
    if (entry.listed()) return;
    entry.next_ = &ends_;
    entry.previous_ = ends_.previous_;
    ends_.previous_->next_ = &entry;
    ends_.previous_ = &entry;
  }

  T& pop() {
    T& element = first();
    static_cast<ListEntry&>(element).unlist();
    return element;
  }

  // Appends all elements to `other`, in their order.
  void move_to(List& other) {
    if (empty()) return;
    ends_.next_->previous_ = other.ends_.previous_;
    other.ends_.previous_->next_ = ends_.next_;
    ends_.previous_->next_ = &other.ends_;
    other.ends_.previous_ = ends_.previous_;
    ends_.next_ = ends_.previous_ = &ends_;
  }

  // Calls visit(element) for each, the oldest first, until it gives true. It may take that one out.
  template <class Visit>
  void find(Visit visit) {
    for (ListEntry* entry = ends_.next_; entry != &ends_;) {
      ListEntry* const behind = entry->next_;
      if (visit(static_cast<T&>(*entry))) return;
      entry = behind;
    }
  }

  // The same, the newest first.
  template <class Visit>
  void find_from_last(Visit visit) {
    for (ListEntry* entry = ends_.previous_; entry != &ends_;) {
      ListEntry* const before = entry->previous_;
      if (visit(static_cast<T&>(*entry))) return;
      entry = before;
    }
  }

 private:
  ListEntry ends_;
};

}  // namespace uring
