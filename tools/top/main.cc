// isolates-top [PID | PATH] [--once] [--interval=SECONDS]: what a running program of the library is
// doing.

#include <time.h>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tools/top/attach.h"
#include "tools/top/page.h"
#include "tools/top/screen.h"

namespace isolates::top {
namespace {

constexpr const char* kUsage =
    "isolates-top [PID | PATH] [--once] [--interval=SECONDS]\n"
    "\n"
    "Shows threads, isolates and ports of a running program: rates over the interval, which is\n"
    "a second by default. Without a number or a path: the only program that runs.\n"
    "  --once   one page as text, after one interval\n"
    "  q        leaves\n";

struct Arguments {
  std::string target;
  bool once = false;
  double interval = 1;
};

// Nothing: they are wrong.
std::optional<Arguments> Parse(const std::vector<std::string>& words) {
  constexpr std::string_view kInterval = "--interval=";
  Arguments arguments;
  for (const std::string& word : words) {
    if (word == "--once") {
      arguments.once = true;
    } else if (std::string_view(word).substr(0, kInterval.size()) == kInterval) {
      char* end = nullptr;
      const char* const number = word.c_str() + kInterval.size();
      arguments.interval = std::strtod(number, &end);
      const bool sound = end != number && *end == '\0';
      if (!sound || !(arguments.interval >= 0.01 && arguments.interval <= 3600)) return {};
    } else if (word.empty() || word.front() == '-' || !arguments.target.empty()) {
      return {};
    } else {
      arguments.target = word;
    }
  }
  return arguments;
}

std::string TheOnlyProgram() {
  const std::vector<std::string> running = RunningPrograms();
  if (running.empty()) throw AttachError("no program with counters runs");
  if (running.size() == 1) return running.front();
  std::string which = "which one?";
  for (const std::string& pid : running) which += " " + pid;
  throw AttachError(which);
}

Look TakeLook(const Attached& program) {
  Look look;
  look.stats = program.Copy();
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  look.time =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
  return look;
}

void ShowOnce(const Attached& program, std::chrono::milliseconds interval) {
  const Look before = TakeLook(program);
  if (!program.gone()) std::this_thread::sleep_for(interval);
  for (const std::string& line : FormatPage(before, TakeLook(program), program.gone())) {
    std::cout << line << '\n';
  }
}

void ShowLive(const Attached& program, std::chrono::milliseconds interval) {
  std::vector<std::string> page;
  {
    Screen screen;
    Look before = TakeLook(program);
    // The first page comes soon.
    for (auto time = std::min(interval, std::chrono::milliseconds(200));
         screen.Wait(time) && !program.gone(); time = interval) {
      Look now = TakeLook(program);
      page = FormatPage(before, now, /*gone=*/false);
      screen.Show(page);
      before = std::move(now);
    }
  }
  if (program.gone()) std::cout << "isolates-top: the program has ended\n";
}

int Main(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word != "--help" && word != "-h") continue;
    std::cout << kUsage;
    return 0;
  }
  const auto arguments = Parse(words);
  if (!arguments.has_value()) {
    std::cerr << kUsage;
    return 2;
  }
  try {
    const Attached program(arguments->target.empty() ? TheOnlyProgram() : arguments->target);
    const std::chrono::milliseconds interval(static_cast<long>(arguments->interval * 1000));
    if (arguments->once) {
      ShowOnce(program, interval);
    } else if (Screen::IsTerminal()) {
      ShowLive(program, interval);
    } else {
      throw AttachError("this is no terminal: use --once");
    }
  } catch (const AttachError& error) {
    std::cerr << "isolates-top: " << error.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace isolates::top

int main(int count, char** words) { return isolates::top::Main({words + 1, words + count}); }
