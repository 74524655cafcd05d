"""isolates-top beside a running program: what it shows, and what it says when there is none."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import unittest

TOP, LOAD = sys.argv[1:3]


class Program:
    """The program with the known load."""

    def __init__(self):
        self.process = subprocess.Popen(
            [LOAD], env=dict(os.environ, ISOLATES_STATS="1"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.stdout.readline().decode().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/dev/shm/isolates." + self.pid)  # of one that was killed


def top(*arguments):
    return subprocess.run([TOP, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)


def table(page, head):
    """The lines of a table by their first word, as words."""
    lines = page.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith(head + " "))
    rows = {}
    for line in lines[begin + 1:]:
        if not line:
            break
        rows[line.split()[0]] = dict(zip(lines[begin].split(), line.split()))
    return rows


def page_of(target):
    shown = top(target, "--once", "--interval=0.05")
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


class TopTest(unittest.TestCase):
    def test_isolates_and_ports_with_rising_counts(self):
        with Program() as program:
            first = page_of(program.pid)
            print(first)
            self.assertRegex(first.splitlines()[0], r"^isolates-top: load \(%s\), up " % program.pid)
            isolates = table(first, "ISOLATE")
            for name in ("main", "sink", "source", "idle"):
                self.assertIn(name, isolates)
            self.assertIn("numbers", table(first, "PORT"))
            self.assertIn("isolates-w1", table(first, "THREAD"))
            self.assertEqual(table(first, "PORT")["never"]["RECEIVED"], "0")
            received = int(isolates["sink"]["RECEIVED"])
            # It goes on, so some page shows more; and none shows less.
            later = received
            while later == received:
                later = int(table(page_of(program.pid), "ISOLATE")["sink"]["RECEIVED"])
            self.assertGreater(later, received)
            self.assertGreater(int(table(page_of(program.pid), "PORT")["numbers"]["RECEIVED"]), received)

    def test_the_only_program_needs_no_number(self):
        # Others may run on this machine: then it lists them.
        with Program() as program:
            shown = top("--once", "--interval=0.05")
            self.assertIn(program.pid, shown.stdout + shown.stderr)

    def test_no_such_process(self):
        shown = top("999999999", "--once")
        self.assertEqual((shown.returncode, shown.stdout), (1, ""))
        self.assertEqual(shown.stderr, "isolates-top: there is no process 999999999\n")

    def test_a_process_without_isolates(self):
        shown = top(str(os.getpid()), "--once")
        self.assertEqual(shown.returncode, 1)
        self.assertIn("shows no counters", shown.stderr)

    def test_a_program_that_ends_takes_its_counters_along(self):
        with Program() as program:
            program.process.stdin.close()
            program.process.wait()
            shown = top(program.pid, "--once")
            self.assertEqual(shown.returncode, 1)
            self.assertIn("no process", shown.stderr)

    def test_wrong_arguments(self):
        for arguments in (["--twice"], ["--interval=0"], ["--interval=x"], ["1", "2"]):
            shown = top(*arguments)
            self.assertEqual(shown.returncode, 2)
            self.assertIn("isolates-top [PID | PATH]", shown.stderr)

    def test_without_a_terminal_there_is_only_once(self):
        with Program() as program:
            shown = top(program.pid)
            self.assertEqual(shown.returncode, 1)
            self.assertIn("use --once", shown.stderr)


class Terminal:
    """isolates-top in a terminal of its own."""

    def __init__(self, *arguments):
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.execv(TOP, [TOP, *arguments])
        self.text = ""

    def read_until(self, pattern):
        while not re.search(pattern, self.text):
            select.select([self.file], [], [])
            try:
                self.text += os.read(self.file, 65536).decode()
            except OSError:  # it has ended
                assert re.search(pattern, self.text), self.text
                return

    def write(self, text):
        os.write(self.file, text.encode())

    def end(self):
        self.read_until("\x1b\\[\\?1049l")
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.file)
        return status


class LiveTest(unittest.TestCase):
    def test_pages_follow_each_other_until_q(self):
        with Program() as program:
            terminal = Terminal(program.pid, "--interval=0.05")
            terminal.read_until("(?s)sink.*\x1b\\[H.*sink.*\x1b\\[H")
            terminal.write("q")
            self.assertEqual(terminal.end(), 0)

    def test_a_program_that_ends_is_noticed(self):
        with Program() as program:
            terminal = Terminal(program.pid, "--interval=0.05")
            terminal.read_until("sink")
            program.process.send_signal(signal.SIGKILL)
            program.process.wait()
            terminal.read_until("the program has ended")
            self.assertEqual(terminal.end(), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
