// A ring that is refused says why, and names the cure.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "tests/temporary_folder.hh"
#include "uring/io_uring_kernel.hh"
#include "uring/probe.hh"

namespace {

TEST(RingError, NamesTheCauseAndTheCure) {
  struct Case {
    const char* name;
    int error;
    const char* cause;
    const char* cure;
  };
  const Case cases[] = {
      {"forbidden", EPERM, "io_uring", "io_uring"},
      {"not built", ENOSYS, "built without io_uring", "CONFIG_IO_URING=y"},
      {"old", EINVAL, "too old", "Linux 6.1"},
      {"locked memory", ENOMEM, "limit of locked memory", "LimitMEMLOCK"},
      {"descriptors", EMFILE, "no descriptor left", "LimitNOFILE"},
      {"descriptors of the system", ENFILE, "no descriptor left", "LimitNOFILE"},
      {"anything else", EIO, "could not be set up", "Input/output error"},
  };
  for (const Case& test : cases) {
    const std::string text = uring::explain_ring_error(test.error);
    EXPECT_NE(text.find(test.cause), std::string::npos) << test.name << ": " << text;
    EXPECT_NE(text.find(test.cure), std::string::npos) << test.name << ": " << text;
  }
}

// What stands in /proc, and what EPERM and ENOSYS mean then.
TEST(RingError, NamesWhatForbidsRings) {
  struct Case {
    const char* disabled;  // empty: no such setting
    const char* group;
    const char* filter;
    int error;
    const char* text;
  };
  for (const Case& test : {
           Case{"2", "-1", "0", EPERM,
                "io_uring is switched off on this machine (kernel.io_uring_disabled = 2): run "
                "'sysctl kernel.io_uring_disabled=0' as root"},
           Case{"1", "-1", "2", EPERM,
                "io_uring is for root and for no group on this machine (kernel.io_uring_disabled = "
                "1, kernel.io_uring_group): run 'sysctl kernel.io_uring_group=GID' as root"},
           Case{"1", "998", "0", EPERM, "io_uring is for root and for the group 998 on "},
           Case{"0", "-1", "2", EPERM,
                "io_uring is not permitted (EPERM): a seccomp profile forbids it"},
           Case{"", "", "2", EPERM, "io_uring is not permitted (EPERM): a seccomp profile"},
           Case{"", "", "", EPERM, "io_uring is not permitted (EPERM): a seccomp profile"},
           Case{"0", "-1", "0", EPERM, "by neither kernel.io_uring_disabled nor a seccomp profile"},
           Case{"", "", "2", ENOSYS, "(ENOSYS): a seccomp profile forbids it"},
           Case{"", "", "0", ENOSYS, "was built without io_uring (ENOSYS)"},
       }) {
    const TemporaryFolder root;
    const auto set = [&](const char* file, const std::string& text) {
      if (text.empty()) return;
      const std::filesystem::path path = root.path() / "proc" / file;
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path) << text << "\n";
    };
    set("sys/kernel/io_uring_disabled", test.disabled);
    set("sys/kernel/io_uring_group", test.group);
    const std::string filter = test.filter;
    set("self/status", filter.empty() ? "" : "Name:\tgateway\nSeccomp:\t" + filter + "\n");
    const std::string text = uring::explain_ring_error(test.error, root.path());
    EXPECT_NE(text.find(test.text), std::string::npos) << text;
  }
}

TEST(ThreadError, NamesWhatTheThreadIsForAndTheCure) {
  EXPECT_EQ(uring::explain_thread_error(EAGAIN, "shard 3"),
            "no thread can be made for shard 3: Resource temporarily unavailable; raise the limit "
            "with 'ulimit -u', LimitNPROC= or TasksMax=, or name fewer 'shards'");
  EXPECT_EQ(uring::explain_thread_error(EPERM, "the log"),
            "no thread can be made for the log: Operation not permitted");
}

// As a container's seccomp profile does: io_uring_setup fails with `error`. For good.
void refuse_rings(unsigned error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(program), program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

// Ends the process: 0 if no ring is to be had and the reason says `word`.
[[noreturn]] void exit_if_refused_with(const char* word) {
  const auto kernel = uring::IoUringKernel::create({});
  std::_Exit(!kernel && kernel.error().find(word) != std::string::npos ? 0 : 1);
}

TEST(RingErrorDeathTest, ExplainsASeccompProfile) {
  EXPECT_EXIT(
      {
        refuse_rings(EPERM);
        exit_if_refused_with("seccomp");
      },
      testing::ExitedWithCode(0), "");
}

TEST(RingErrorDeathTest, ExplainsAKernelWithoutRings) {
  EXPECT_EXIT(
      {
        refuse_rings(ENOSYS);
        exit_if_refused_with("built without");
      },
      testing::ExitedWithCode(0), "");
}

TEST(RingErrorDeathTest, ExplainsThatDescriptorsRanOut) {
  EXPECT_EXIT(
      {
        refuse_rings(EMFILE);
        exit_if_refused_with("no descriptor left");
      },
      testing::ExitedWithCode(0), "");
}

TEST(Probe, RaisesTheLimitOfLockedMemoryToTheHardOne) {
  rlimit before{};
  getrlimit(RLIMIT_MEMLOCK, &before);
  rlimit low = before;
  low.rlim_cur = 0;
  setrlimit(RLIMIT_MEMLOCK, &low);
  uring::raise_locked_memory_limit();
  rlimit after{};
  getrlimit(RLIMIT_MEMLOCK, &after);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  setrlimit(RLIMIT_MEMLOCK, &before);
}

TEST(Probe, RaisesTheDescriptorLimitToTheHardOne) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit low = before;
  low.rlim_cur = 64;
  setrlimit(RLIMIT_NOFILE, &low);
  EXPECT_EQ(uring::raise_descriptor_limit(), before.rlim_max);
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Kernel, KnowsTheByteCapUnlessItIsToldNotTo) {
  auto one_shot = uring::IoUringKernel::create({.one_shot_receive = true});
  ASSERT_TRUE(one_shot.has_value()) << one_shot.error();
  EXPECT_FALSE((*one_shot)->receive_byte_cap());
  auto usual = uring::IoUringKernel::create({});
  ASSERT_TRUE(usual.has_value()) << usual.error();
  bool capped = false;
  EXPECT_EQ(uring::probe_receive_byte_cap(capped), 0);
  EXPECT_EQ((*usual)->receive_byte_cap(), capped);
}

}  // namespace
