#!/usr/bin/env python3
"""Kills the exchange at random moments and checks what it recovers.

crash_test.py --program=EXCHANGE [--rounds=N] [--seed=S] [--orders=N] [--rate=R] [--expect-failures]

Each round starts the exchange with a journal and a pipe for its acknowledgements, ends it by SIGKILL at a moment
that is drawn from the seed, and starts it again with --recover, as often as the seed says. Then it must hold that
  - every order that was acknowledged is in the journal,
  - the market data that was published before is the beginning of what is published at the end,
  - the result of all orders is that of the single-threaded reference.
With --expect-failures the exchange is one that acknowledges too early, and some round must find it out."""

import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import threading


class Acks:
    """Reads acknowledgements; keeps the greatest."""

    def __init__(self):
        self.last = 0
        self.read_end, self.write_end = os.pipe()
        self.count = 0
        self.changed = threading.Condition()
        self.thread = None

    def start(self):
        os.close(self.write_end)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        rest = b""
        while chunk := os.read(self.read_end, 65536):
            rest += chunk
            with self.changed:
                while len(rest) >= 8:
                    self.last = max(self.last, struct.unpack("<Q", rest[:8])[0])
                    self.count += 1
                    rest = rest[8:]
                self.changed.notify_all()
        os.close(self.read_end)
        with self.changed:
            self.count = sys.maxsize
            self.changed.notify_all()

    def wait_for(self, count):
        """Until so many have come, or none will come any more."""
        with self.changed:
            self.changed.wait_for(lambda: self.count >= count)


class Round:
    def __init__(self, options, folder, draw):
        self.options, self.draw = options, draw
        self.journal = os.path.join(folder, "journal")
        self.outputs = []
        self.folder = folder
        self.acknowledged = 0
        self.flow = ["--orders=%d" % options.orders, "--rate=%d" % options.rate, "--warm-up=0",
                     "--seed=%d" % draw.randrange(1 << 32), "--no-lock"]

    def command(self, *more):
        self.outputs.append(os.path.join(self.folder, "out%d" % len(self.outputs)))
        return [self.options.program, *self.flow, "--journal=" + self.journal,
                "--market-data=" + self.outputs[-1], *more]

    def run_and_kill(self, recover):
        """Kills it some microseconds after some acknowledgement."""
        acks = Acks()
        more = ["--no-check", "--acks=%d" % acks.write_end]
        if recover:
            more.append("--recover")
        if self.options.expect_failures:
            more.append("--acks-too-early")
        child = subprocess.Popen(self.command(*more), pass_fds=[acks.write_end],
                                 stdout=subprocess.DEVNULL)
        acks.start()
        acks.wait_for(self.draw.randrange(1, self.options.most_acks))
        timer = threading.Event()
        timer.wait(self.draw.random() * self.options.most_delay)
        child.kill()
        child.wait()
        acks.thread.join()
        self.acknowledged = max(self.acknowledged, acks.last)
        return acks.last

    def finish(self):
        """The last start, which comes to the end. Returns what is wrong with it, or None."""
        done = subprocess.run(self.command("--recover", "--json"), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        lines = done.stdout.decode().splitlines()
        if not lines:
            return "the recovery ended with %d: %s" % (done.returncode, done.stderr.decode())
        result = json.loads(lines[-1])
        if result["recovered"] < self.acknowledged:
            return "%d orders were acknowledged, %d recovered" % (self.acknowledged,
                                                                  result["recovered"])
        if result["orders"] != self.options.orders:
            return "%d orders in the end" % result["orders"]
        if not result["identical_to_reference"]:
            return "the results differ from the reference"
        with open(self.outputs[-1], "rb") as file:
            whole = file.read()
        if len(whole) != result["output_bytes"]:
            return "%d bytes of market data, not %d" % (len(whole), result["output_bytes"])
        for path in self.outputs[:-1]:
            if os.path.exists(path):
                with open(path, "rb") as file:
                    if not whole.startswith(file.read()):
                        return "other market data was published before a crash"
        return None

    def run(self):
        for start in range(self.draw.randrange(1, 4)):
            self.run_and_kill(recover=start > 0)
        return self.finish()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=50000)
    parser.add_argument("--rate", type=int, default=50000)
    parser.add_argument("--most-acks", type=int, default=60)
    parser.add_argument("--most-delay", type=float, default=0.02, help="seconds")
    parser.add_argument("--expect-failures", action="store_true")
    options = parser.parse_args()
    passed = failed = 0
    for number in range(options.rounds):
        draw = random.Random(options.seed * 1000003 + number)
        with tempfile.TemporaryDirectory() as folder:
            one = Round(options, folder, draw)
            wrong = one.run()
        if wrong is None:
            passed += 1
        else:
            failed += 1
            print("round %d of seed %d: %s" % (number, options.seed, wrong))
    print("%d passed, %d failed" % (passed, failed))
    return int((failed == 0) == options.expect_failures)


if __name__ == "__main__":
    sys.exit(main())
