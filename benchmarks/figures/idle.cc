// The memory of idle isolates, in a process of their own: in this one others have left room that
// they would use.

#include "benchmarks/programs/idle.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>
#include <string>

#include "benchmarks/figures/figures.h"

namespace isolates::bench {
namespace {

// What the child prints; nothing if it could not be started, or did not end well.
std::optional<double> FromChild(int isolates) {
  std::string program = "/proc/self/exe";
  std::string argument = "--idle-child=" + std::to_string(isolates);
  char* const arguments[] = {program.data(), argument.data(), nullptr};
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return std::nullopt;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  pid_t child = 0;
  const bool started =
      posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::FILE* const output = fdopen(ends[0], "r");
  double bytes = 0;
  const bool told = std::fscanf(output, "%lf", &bytes) == 1;
  std::fclose(output);
  int status = -1;
  if (!started || waitpid(child, &status, 0) != child) return std::nullopt;
  if (!told || status != 0) return std::nullopt;
  return bytes;
}

}  // namespace

int RunIdleChild(int isolates) {
  BytesOfEach(100, true);
  std::printf("%f\n", BytesOfEach(isolates, true));
  std::fflush(stdout);
  _exit(0);  // ending a hundred thousand isolates one by one is not part of this
}

void IdleFigures(Figures& figures) {
  const int count = figures.Scale(100'000, 1'000);
  std::vector<double> bytes;
  for (int i = 0; i < figures.Scale(3, 1); ++i) {
    if (const auto each = FromChild(count)) bytes.push_back(*each);
  }
  const int kept = static_cast<int>(bytes.size());
  figures.Add(ResultOf(std::to_string(count) + " idle light isolates", SpreadOf(std::move(bytes)),
                       "B each", kept),
              1'200);
}

}  // namespace isolates::bench
