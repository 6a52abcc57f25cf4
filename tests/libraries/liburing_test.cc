// The liburing that is linked: header and library are of one version, and a ring turns.
#include <liburing.h>

#include <cstring>

#include <gtest/gtest.h>

namespace {

TEST(Liburing, HeaderAndLibraryAreOfOneVersion) {
  EXPECT_EQ(io_uring_major_version(), IO_URING_VERSION_MAJOR);
  EXPECT_EQ(io_uring_minor_version(), IO_URING_VERSION_MINOR);
}

TEST(Liburing, CompletesANop) {
  io_uring ring;
  const int created = io_uring_queue_init(4, &ring, 0);
  ASSERT_EQ(created, 0) << std::strerror(-created);
  io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  ASSERT_NE(sqe, nullptr);
  io_uring_prep_nop(sqe);
  io_uring_sqe_set_data64(sqe, 42);
  EXPECT_EQ(io_uring_submit_and_wait(&ring, 1), 1);
  io_uring_cqe* cqe = nullptr;
  ASSERT_EQ(io_uring_peek_cqe(&ring, &cqe), 0);
  EXPECT_EQ(io_uring_cqe_get_data64(cqe), 42u);
  EXPECT_EQ(cqe->res, 0);
  io_uring_queue_exit(&ring);
}

}  // namespace
