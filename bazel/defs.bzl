"""The kinds of target of this repository: every C++ target is declared by one of these macros."""

load("//bazel:checked_test.bzl", "checked_test")
load("//bazel:compile_test.bzl", "compile_log", "header_test", "nocompile_test")
load("//bazel:copts.bzl", "ISOLATES_COPTS", "ISOLATES_TEST_COPTS")

# Lowest first. A room sees the rooms before it; visibility and, with clang, layering_check keep it
# so.
ROOMS = ["base", "heap", "transfer", "port", "isolate", "patterns", "runtime"]

# For targets whose result does not depend on a sanitizer or an allocator: CI runs them once per
# compiler.
_STATIC = ["static"]

def _rooms_until(room):
    return ROOMS[:ROOMS.index(room) + 1]

def _header_targets(rooms):
    return ["//include/isolates:%s_headers" % r for r in rooms]

# ---- libraries and programs ----

def isolates_library(name, copts = [], **kwargs):
    """A C++ library with the options of bazel/copts.bzl."""
    native.cc_library(
        name = name,
        copts = ISOLATES_COPTS + copts,
        linkstatic = True,
        **kwargs
    )

def isolates_binary(name, copts = [], **kwargs):
    """A program with the options of bazel/copts.bzl."""
    native.cc_binary(name = name, copts = ISOLATES_COPTS + copts, **kwargs)

def isolates_room_headers(room, hdrs, deps = []):
    """The header half of a room: <room>_headers, and for each header a test that it compiles alone.

    A header sees the headers of its own room and of the rooms before it, and nothing else.
    """
    rooms = _rooms_until(room)
    name = room + "_headers"
    native.cc_library(
        name = name,
        hdrs = hdrs,
        visibility = [
            "//:__pkg__",
            "//include/isolates:__subpackages__",
            "//src:__subpackages__",
            "//tests:__subpackages__",
            "//tools:__subpackages__",
        ],
        deps = ["//bazel:include", "//bazel:settings"] + _header_targets(rooms[:-1]) + deps,
    )
    isolates_header_tests(name = room + "_header_tests", headers = hdrs, deps = [":" + name])

def isolates_room(room, srcs = None, deps = [], **kwargs):
    """The source half of a room: //src/<room>, for the next room, //:isolates and tests.

    Its private headers ("src/<room>/x.h") are //src/<room>:internals: for the rooms after it, tests and tools.
    """
    rooms = _rooms_until(room)
    index = len(rooms)
    left = ["//src/%s:internals" % r for r in rooms[:-1]]
    right = ["//src/%s:__pkg__" % r for r in ROOMS[index:]]
    isolates_library(
        name = "internals",
        srcs = srcs if srcs != None else native.glob(["*.cc"]),
        hdrs = native.glob(["*.h"]),
        visibility = right + ["//tests:__subpackages__", "//tools:__subpackages__"],
        deps = left + _header_targets(rooms) + deps,
        **kwargs
    )
    native.cc_library(
        name = room,
        visibility = right + [
            "//:__pkg__",
            "//benchmarks:__subpackages__",
            "//tests:__subpackages__",
        ],
        deps = [":internals"] + _header_targets(rooms),
    )

# ---- tests ----

def isolates_test(name, srcs = None, copts = [], deps = [], size = "small", **kwargs):
    """A GoogleTest program (GoogleMock's main). Source by default: <name>.cc."""
    native.cc_test(
        name = name,
        srcs = srcs or [name + ".cc"],
        copts = ISOLATES_TEST_COPTS + copts,
        linkstatic = True,
        size = size,
        deps = deps + ["@googletest//:gmock", "@googletest//:gmock_main", "@googletest//:gtest"],
        **kwargs
    )

def isolates_room_tests(room, exclude = [], deps = [], **kwargs):
    """One isolates_test for each *_test.cc of this folder; it may include all of the room.

    Headers of the folder are for all its tests.
    """
    for source in native.glob(["*_test.cc"], exclude = exclude):
        isolates_test(
            name = source[:-len(".cc")],
            srcs = [source] + native.glob(["*.h"]),
            deps = room_deps(room) + deps,
            **kwargs
        )

def room_deps(room):
    """What a test of the room depends on."""
    return ["//src/%s" % room, "//src/%s:internals" % room] + _header_targets(_rooms_until(room))

def isolates_model_test(name, srcs = None, deps = [], tags = [], size = "medium", **kwargs):
    """A GoogleTest program that explores schedules with Relacy ("tests/model/relacy.h")."""
    isolates_test(
        name = name,
        srcs = srcs,
        size = size,
        tags = tags + ["model"],
        deps = deps + ["//tests/model:relacy"],
        **kwargs
    )

def isolates_stress_test(name, srcs = None, tags = [], size = "medium", **kwargs):
    """A GoogleTest program that keeps all cores busy for a while: it counts as two tests."""
    isolates_test(
        name = name,
        srcs = srcs,
        size = size,
        tags = tags + ["cpu:2", "stress"],
        **kwargs
    )

def isolates_checked_test(name, srcs = None, tags = [], size = "small", **kwargs):
    """A GoogleTest program of a checked build, whatever the configuration is."""
    isolates_test(
        name = name + "_program",
        srcs = srcs or [name + ".cc"],
        size = size,
        tags = tags + ["manual"],
        **kwargs
    )
    checked_test(
        name = name,
        program = ":%s_program" % name,
        size = size,
        tags = tags,
    )

def isolates_nocompile_test(
        name,
        message,
        src = None,
        define = "ISOLATES_BAD_LINE",
        deps = [],
        tags = [],
        **kwargs):
    """The source must compile as it is; with -D<define> it must be rejected, by this message.

    Args:
      message: extended regular expression for one line of the compiler's messages.
      src: default <name>.cc; the bad line stands between #ifdef <define> and #endif.
    """
    source = src or name + ".cc"
    _nocompile(name + "_control", source, {name: define}, {name: message}, deps, tags, **kwargs)

def isolates_nocompile_tests(name, src, cases, deps = [], tags = [], **kwargs):
    """Several bad lines in one source: cases maps the macro of each to the expected message."""
    defines = {"%s_%s" % (name, define.lower()): define for define in cases}
    messages = {test: cases[define] for test, define in defines.items()}
    _nocompile(name + "_control", src, defines, messages, deps, tags, **kwargs)
    native.test_suite(name = name, tests = messages.keys())

def _nocompile(control, src, defines, messages, deps, tags, copts = [], **kwargs):
    compile_log(
        name = control,
        src = src,
        testonly = True,
        copts = ISOLATES_TEST_COPTS + copts,
        deps = deps,
        **kwargs
    )
    for test, message in messages.items():
        nocompile_test(
            name = test,
            src = src,
            control = ":" + control,
            defines = [defines[test]],
            message = message,
            copts = ISOLATES_TEST_COPTS + copts,
            deps = deps,
            size = "small",
            tags = tags + ["nocompile"] + _STATIC,
            **kwargs
        )

def isolates_header_tests(name, headers, deps, suffix = "alone_test"):
    """Each header of include/isolates compiles alone, twice included, with what deps declare."""
    tests = []
    for header in headers:
        test = "%s_%s" % (header.replace("/", "_").replace(".h", ""), suffix)
        tests.append(test)
        header_test(
            name = test,
            header = "isolates/" + header,
            copts = ISOLATES_COPTS + ["-Wno-unused"],
            deps = deps,
            size = "small",
            tags = ["headers"] + _STATIC,
        )
    native.test_suite(name = name, tests = tests)

def isolates_output_test(name, binary, expected, args = [], data = [], **kwargs):
    """The program's output must match: each line of `expected` is an extended regular expression."""
    native.sh_test(
        name = name,
        srcs = ["//bazel:check_output.sh"],
        args = ["$(location %s)" % expected, "$(location %s)" % binary] + args,
        data = data + [binary, expected],
        size = "small",
        **kwargs
    )

def isolates_python_test(name, srcs, data = [], size = "small", **kwargs):
    """A unittest program, the first of srcs; the rest is what it imports. (py_test wants a `python`.)"""
    native.sh_test(
        name = name,
        srcs = ["//bazel:run_smoke.sh"],
        args = [
            "python3",
            "$(location %s)" % srcs[0],
        ],
        data = srcs + data,
        size = size,
        **kwargs
    )

# ---- benchmarks ----

def isolates_benchmark(name, srcs = None, copts = [], deps = [], tags = [], data = [], **kwargs):
    """A Google Benchmark program, and a test `<name>_smoke` that runs each benchmark for a moment."""
    native.cc_binary(
        name = name,
        srcs = srcs or [name + ".cc"],
        copts = ISOLATES_COPTS + ["-Wno-missing-declarations"] + copts,
        testonly = True,
        data = data,
        tags = tags + ["benchmark"],
        deps = deps + ["@benchmark", "@benchmark//:benchmark_main"],
        **kwargs
    )
    native.sh_test(
        name = name + "_smoke",
        srcs = ["//bazel:run_smoke.sh"],
        args = ["$(location :%s)" % name, "--benchmark_min_time=0.001"],
        data = [":" + name] + data,
        size = "medium",
        tags = tags + ["benchmark"],
    )
