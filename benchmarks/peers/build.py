"""Installs what the peers need, compiles their programs into a folder outside of the sources."""

import hashlib
import os
import shutil
import subprocess
import sys

from systems import PROGRAMS

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PACKAGES = os.path.join(HERE, "packages.txt")


class Missing(Exception):
    """A program that cannot be had on this machine, and why."""


def default_folder():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "isolates-peers")


def needs():
    """[(system, package, proof)] of packages.txt."""
    with open(PACKAGES, encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return [tuple(line) for line in lines]


def is_there(proof, folder):
    kind, _, what = proof.rpartition(":")
    if kind == "command":
        return shutil.which(what) is not None
    if kind == "unpack":
        return os.path.exists(os.path.join("/", what)) or \
            os.path.exists(os.path.join(folder, "unpacked", what))
    return os.path.exists(what)


def missing_packages(system, folder):
    return [package for name, package, proof in needs()
            if name == system and not is_there(proof, folder)]


def unpack(package, folder):
    """The files of a Debian package, without installing it."""
    there = os.path.join(folder, "unpacked")
    os.makedirs(there, exist_ok=True)
    subprocess.run(["apt-get", "-q", "download", package], cwd=there, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name in os.listdir(there):
        if name.startswith(package + "_"):
            subprocess.run(["dpkg-deb", "-x", name, "."], cwd=there, check=True)


def install(folder, systems):
    """Installs what is missing for these systems. What cannot be had is skipped later."""
    wanted = [(package, proof) for name, package, proof in needs()
              if (name in systems or name == "raw") and not is_there(proof, folder)]
    plain = [package for package, proof in wanted if not proof.startswith("unpack:")]
    if plain:
        script = os.path.join(ROOT, "bazel", "install.sh")
        if subprocess.run(["sh", script] + plain, check=False).returncode != 0:
            for package in plain:  # one that this system lacks must not keep the others away
                subprocess.run(["sh", script, package], check=False)
    for package, proof in wanted:
        if proof.startswith("unpack:"):
            try:
                unpack(package, folder)
            except (OSError, subprocess.CalledProcessError) as error:
                print("peers: cannot unpack %s: %s" % (package, error), file=sys.stderr)


def command_of(program, source, output, folder):
    """(command, environment) that compiles one program."""
    environment = dict(os.environ)
    if program.language == "c++":
        unpacked = os.path.join(folder, "unpacked", "usr", "include")
        return ["g++", "-std=c++20", "-O2", "-o", output, source, "-I" + unpacked] + \
            program.options + ["-lpthread"], environment
    if program.language == "go":
        environment.update(GO111MODULE="off", GOFLAGS="",
                           GOCACHE=os.path.join(folder, "go_cache"))
        return ["go", "build", "-o", output, source], environment
    if program.language == "rust":
        return ["rustc", "-O", "-o", output, source], environment
    if program.language == "erlang":
        return ["erlc", "-o", folder, source], environment
    raise ValueError(program.language)


def compiled(name, inputs, command, environment, folder):
    """Runs the command unless it has run already for the same inputs."""
    digest = hashlib.sha256("\0".join(command).encode())
    for path in inputs:
        with open(path, "rb") as file:
            digest.update(file.read())
    compiler = shutil.which(command[0])
    if compiler is None:
        raise Missing("there is no %s" % command[0])
    digest.update(str(os.stat(compiler).st_mtime_ns).encode())
    stamp = os.path.join(folder, name + ".stamp")
    if os.path.exists(stamp):
        with open(stamp, encoding="ascii") as file:
            if file.read() == digest.hexdigest():
                return
    result = subprocess.run(command, env=environment, cwd=folder, check=False,
                            capture_output=True, text=True)
    if result.returncode != 0:
        raise Missing("it does not compile: " + (result.stderr.strip() or "?").splitlines()[0])
    with open(stamp, "w", encoding="ascii") as file:
        file.write(digest.hexdigest())


def raw(folder):
    """The command of the machine's limit."""
    output = os.path.join(folder, "raw")
    source = os.path.join(HERE, "raw.c")
    compiled("raw", [source], ["gcc", "-O2", "-o", output, source, "-lpthread"], dict(os.environ),
             folder)
    return [output]


def isolates(given):
    """The program of this library: the given one, or what Bazel builds."""
    if given:
        return [given]
    target = "//benchmarks/peers:isolates_peer"
    bazelw = os.path.join(ROOT, "bazel", "bazelw")
    result = subprocess.run([bazelw, "build", "-c", "opt", "--noshow_progress", target], cwd=ROOT,
                            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            text=True)
    if result.returncode != 0:
        raise Missing("bazel build %s failed:\n%s" % (target, result.stderr[-2000:]))
    return [os.path.join(ROOT, "bazel-bin", "benchmarks", "peers", "isolates_peer")]


def program(name, folder, given_isolates=None):
    """The command of a program, without arguments. Raises Missing."""
    what = PROGRAMS[name]
    if what.language == "bazel":
        return isolates(given_isolates)
    packages = missing_packages(name, folder)
    if packages:
        raise Missing("not installed: " + " ".join(packages))
    source = os.path.join(HERE, what.source)
    if what.language == "node":
        return ["node", source]
    output = os.path.join(folder, name)
    inputs = [source]
    if what.language == "c++":
        inputs.append(os.path.join(HERE, "cpp", "harness.h"))
    command, environment = command_of(what, source, output, folder)
    compiled(name, inputs, command, environment, folder)
    if what.language == "erlang":
        # Two schedulers, bound to the two processors.
        return ["erl", "-noshell", "-noinput", "+S", "2:2", "+sbt", "db", "-pa", folder, "-eval",
                "comparison:main().", "-extra"]
    return [output]


def version(name, command):
    """Of the system, as it says itself or as its package does."""
    if name == "node":
        return subprocess.run(["node", "--version"], check=False, capture_output=True,
                              text=True).stdout.strip()
    if name == "rust":
        return subprocess.run(["rustc", "--version"], check=False, capture_output=True,
                              text=True).stdout.strip()
    result = subprocess.run(command + ["version"], check=False, capture_output=True, text=True)
    told = result.stdout.partition("version ")[2].strip()
    if told:
        return told
    for system, package, _ in needs():
        if system == name:
            query = subprocess.run(["apt-cache", "policy", package], check=False,
                                   capture_output=True, text=True).stdout.split()
            for label in ("Installed:", "Candidate:"):
                if label in query and query[query.index(label) + 1] != "(none)":
                    return query[query.index(label) + 1]
    return "?"
