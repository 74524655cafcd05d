// The file of the segment goes with the program.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

#include "isolates/detail/stats_segment.h"
#include "isolates/isolates.h"

namespace isolates {
namespace {

std::string PathOf(pid_t pid) { return "/dev/shm/isolates." + std::to_string(pid); }

[[noreturn]] void RunChild() {
  setenv("ISOLATES_STATS", "1", 1);  // NOLINT(concurrency-mt-unsafe): there is one thread
  constexpr int kNoFile = 3;
  if (Isolate::Run([] { return 7; }).Get() != 7) std::_Exit(1);
  if (access(PathOf(getpid()).c_str(), R_OK) != 0) std::_Exit(kNoFile);
  std::exit(0);
}

TEST(SegmentFileTest, IsThereWhileTheProgramRuns) {
  // Before this process has used the library.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) RunChild();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_NE(access(PathOf(child).c_str(), F_OK), 0);
}

// What a wrong setting names is not the library's to delete; the program runs without a file.
TEST(SegmentFileTest, LeavesTheFilesOfOthersAlone) {
  const std::string path = testing::TempDir() + "segment_file_test." + std::to_string(getpid());
  std::ofstream(path) << "something of somebody else's";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    setenv("ISOLATES_STATS", path.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): as above
    std::exit(Isolate::Run([] { return 7; }).Get() == 7 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  std::string text;
  std::getline(std::ifstream(path), text);
  EXPECT_EQ(text, "something of somebody else's");
  unlink(path.c_str());
}

TEST(SegmentFileTest, TakesThePlaceOfAFormerOne) {
  const std::string path = testing::TempDir() + "segment_file_test.former";
  const std::uint64_t magic = internal::kStatsMagic;
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(&magic), sizeof(magic));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    setenv("ISOLATES_STATS", path.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): as above
    std::exit(Isolate::Run([] { return 7; }).Get() == 7 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_NE(access(path.c_str(), F_OK), 0) << "taken over, and removed at the end";
}

TEST(SegmentFileTest, IsNotThereUnlessAskedFor) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Isolate::Run([] { return 7; }).Get();
    std::_Exit(access(PathOf(getpid()).c_str(), F_OK) == 0 ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace isolates
