#include "isolates/detail/check.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace isolates::internal {

void CheckFailed(const char* file, int line, const char* condition, const char* message) noexcept {
  char text[1024];
  const int length = std::snprintf(text, sizeof(text), "isolates: %s (%s) at %s:%d\n", message,
                                   condition, file, line);
  if (length > 0) {
    const auto bytes = static_cast<std::size_t>(length) < sizeof(text)
                           ? static_cast<std::size_t>(length)
                           : sizeof(text) - 1;
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text, bytes);
  }
  std::abort();
}

}  // namespace isolates::internal
