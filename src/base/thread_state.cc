#include "src/base/thread_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace isolates::internal {

ThreadState StateOfThread(pid_t thread) noexcept {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/task/%d/stat", static_cast<int>(thread));
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return ThreadState::kGone;
  char text[256];
  const ssize_t length = read(file, text, sizeof(text) - 1);
  close(file);
  if (length <= 0) return ThreadState::kGone;
  text[length] = '\0';
  // "number (name) state ...": the name may hold anything, so look behind its last parenthesis.
  const char* name_end = std::strrchr(text, ')');
  if (name_end == nullptr || name_end + 2 >= text + length) return ThreadState::kRunnable;
  switch (name_end[2]) {
    case 'S':
    case 'D':
      return ThreadState::kAsleep;
    case 'X':
    case 'Z':
      return ThreadState::kGone;
    default:
      return ThreadState::kRunnable;
  }
}

}  // namespace isolates::internal
