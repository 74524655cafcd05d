"""The one list of compiler options for our own code (the language standard is in .bazelrc)."""

# Accepted by g++ 12 and clang 19 alike; what only one of them knows goes into .bazelrc's config for
# it.
ISOLATES_COPTS = [
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    "-Wcast-align",
    "-Wcast-qual",
    "-Wextra-semi",
    "-Wformat=2",
    "-Wimplicit-fallthrough",
    "-Wmissing-declarations",
    "-Wundef",
    "-Wunused",
    "-Wvla",
    "-Werror",
]

# Tests also do on purpose what the options above warn of (a self-move, a comparison with itself).
ISOLATES_TEST_COPTS = ISOLATES_COPTS + [
    "-Wno-missing-declarations",
]
