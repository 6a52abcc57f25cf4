// Capabilities (capabilities(7)) of the calling thread, by the kernel's own calls.
#pragma once

namespace uring {

// Whether it has the one (CAP_CHOWN, ...), in effect.
bool has_capability(int capability);

// Gives up all but the one, and that, too, if it was not there; for good: what is executed later
// gets none. Gives 0 or an errno.
int keep_only_capability(int capability);
int give_up_capabilities();  // all of them

// What is executed next has the one, too, if it is there. Gives 0 or an errno.
int hand_down_capability(int capability);

}  // namespace uring
