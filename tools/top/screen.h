// The terminal, while isolates-top has it.

#ifndef ISOLATES_TOOLS_TOP_SCREEN_H_
#define ISOLATES_TOOLS_TOP_SCREEN_H_

#include <chrono>
#include <string>
#include <vector>

namespace isolates::top {

// The whole window, without echo, from its construction to its end.
class Screen {
 public:
  Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  static bool IsTerminal();
  // As many lines, and as much of each, as there is room for.
  void Show(const std::vector<std::string>& lines);
  // False if the user wants to leave (q, or a signal).
  bool Wait(std::chrono::milliseconds time);
};

}  // namespace isolates::top

#endif  // ISOLATES_TOOLS_TOP_SCREEN_H_
