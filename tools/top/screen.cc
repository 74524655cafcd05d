#include "tools/top/screen.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "tools/top/page.h"

namespace isolates::top {
namespace {

volatile sig_atomic_t interrupted = 0;
termios usual_mode;

void Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

bool Screen::IsTerminal() { return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0; }

Screen::Screen() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    sigaction(number, &action, nullptr);
  }
  tcgetattr(STDIN_FILENO, &usual_mode);
  termios mode = usual_mode;
  mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  mode.c_cc[VMIN] = 0;
  mode.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &mode);
  Write("\x1b[?1049h\x1b[?25l");  // the other screen, no cursor
}

Screen::~Screen() {
  Write("\x1b[?25h\x1b[?1049l");
  tcsetattr(STDIN_FILENO, TCSANOW, &usual_mode);
}

void Screen::Show(const std::vector<std::string>& lines) {
  winsize size{};
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  const std::size_t rows = size.ws_row != 0 ? size.ws_row : 24U;
  const std::size_t columns = size.ws_col != 0 ? size.ws_col : 80U;
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < std::min(rows, lines.size()); ++i) {
    if (i != 0) text += "\r\n";
    // The heads of the tables follow empty lines.
    const bool head = i == 0 || lines[i - 1].empty();
    if (head) text += "\x1b[1m";
    text += Fit(lines[i], columns);
    if (head) text += "\x1b[0m";
  }
  Write(text + "\x1b[J");
}

bool Screen::Wait(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (interrupted != 0) return false;
    if (left.count() <= 0) return true;
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, static_cast<int>(left.count())) <= 0) continue;
    char key = 0;
    // Nothing to read from an input that is ready: it has been closed.
    if (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q') return false;
  }
}

}  // namespace isolates::top
