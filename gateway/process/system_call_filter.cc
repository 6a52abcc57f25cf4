#include "gateway/process/system_call_filter.hh"

#include <fmt/format.h>
#include <sched.h>
#include <seccomp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "gateway/version.hh"

namespace gateway {
namespace {

// By name: which of them there are differs between libraries' headers.
constexpr std::array kRefused = {
    // Other programs.
    "execve", "execveat",
    // Other processes.
    "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp",
    // The kernel's own programs and keys.
    "bpf", "perf_event_open", "userfaultfd", "add_key", "request_key", "keyctl", "init_module",
    "finit_module", "delete_module", "kexec_load", "kexec_file_load",
    // Other views of the machine.
    "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig",
    "fsmount", "fspick", "mount_setattr", "setns", "unshare", "open_by_handle_at",
    // The machine itself.
    "reboot", "swapon", "swapoff", "acct", "quotactl", "syslog", "sethostname", "setdomainname",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "iopl", "ioperm", "modify_ldt",
    "personality"};
// But where AddressSanitizer looks for leaks: it does so in a process of its own.
constexpr std::array kRefusedWithoutLeakSearch = {"ptrace", "fork", "vfork"};

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};

// 0, or -errno.
int refuse(scmp_filter_ctx filter, const char* name) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return 0;  // nobody can call it either
  return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
}

// A thread is all that may be made. What clone3 is to make stands in memory, where no filter can
// look: "there is no such call" has the C library take clone.
int refuse_processes(scmp_filter_ctx filter) {
  for (const char* const name : kRefusedWithoutLeakSearch) {
    if (const int error = refuse(filter, name); error != 0) return error;
  }
  const scmp_arg_cmp no_thread{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0};
  const int error =
      seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, &no_thread);
  if (error != 0) return error;
  return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

int load(scmp_filter_ctx filter) {
  // Calls of other architectures, too, are errors and no deaths.
  if (int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
      error != 0)
    return error;
  if (int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1); error != 0) return error;
  for (const char* const name : kRefused) {
    if (const int error = refuse(filter, name); error != 0) return error;
  }
  if (!kLooksForLeaks) {
    if (const int error = refuse_processes(filter); error != 0) return error;
  }
  return seccomp_load(filter);
}

}  // namespace

std::expected<void, std::string> filter_system_calls() {
  const std::unique_ptr<void, Release> filter(seccomp_init(SCMP_ACT_ALLOW));
  const int error = filter == nullptr ? -ENOMEM : load(filter.get());
  if (error == 0) return {};
  return std::unexpected(
      fmt::format("no filter of system calls (seccomp) can be set: {}; do without one with seccomp "
                  "= \"off\"",
                  strerrordesc_np(-error)));
}

}  // namespace gateway
