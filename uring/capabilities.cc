#include "uring/capabilities.hh"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace uring {
namespace {

// In two words: of the capabilities from 0, and from 32.
using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

int get(Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capget, &header, sets.data()) == 0 ? 0 : errno;
}

int set(const Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capset, &header, sets.data()) == 0 ? 0 : errno;
}

}  // namespace

bool has_capability(int capability) {
  Sets sets{};
  return get(sets) == 0 &&
         (sets[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
}

int keep_only_capability(int capability) {
  Sets before{};
  if (const int error = get(before); error != 0) return error;
  Sets after{};
  auto& word = after[CAP_TO_INDEX(capability)];
  word.permitted = before[CAP_TO_INDEX(capability)].permitted & CAP_TO_MASK(capability);
  word.effective = word.permitted;
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return set(after);
}

int hand_down_capability(int capability) {
  Sets sets{};
  if (const int error = get(sets); error != 0) return error;
  auto& word = sets[CAP_TO_INDEX(capability)];
  if ((word.permitted & CAP_TO_MASK(capability)) == 0) return 0;
  word.inheritable |= CAP_TO_MASK(capability);
  if (const int error = set(sets); error != 0) return error;
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0 ? 0 : errno;
}

int give_up_capabilities() {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return set(Sets{});
}

}  // namespace uring
