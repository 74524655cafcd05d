"""The repositories of WORKSPACE: Bazel's own rules, from Debian, and the system libraries."""

load("//bazel/system:system_library.bzl", "system_library")

def isolates_repositories():
    """Declares every external repository. Nothing is fetched before a target asks for it."""

    # Bazel's own needs.
    native.local_repository(name = "rules_cc", path = "bazel/third_party/rules_cc")
    native.local_repository(name = "remote_coverage_tools", path = "bazel/third_party/coverage")
    native.local_repository(name = "rules_java", path = "/usr/share/bazel/rules/java")
    native.local_repository(name = "rules_proto", path = "/usr/share/bazel/rules/proto")
    native.local_repository(name = "platforms", path = "/usr/share/bazel/tools/platforms")
    native.local_repository(name = "bazel_skylib", path = "/usr/share/bazel/tools/skylib")

    # The heaps of the isolates: first-class heaps that one thread fills and another destroys (3.6
    # and later only).
    system_library(
        name = "mimalloc",
        package = "libmimalloc-dev",
        include = ["mimalloc.h", "mimalloc-stats.h"],
        library = "mimalloc",
        version_header = "mimalloc.h",
        version_macro = "MI_MALLOC_VERSION",
        minimum_version = 30600,
        minimum_version_name = "3.6",
    )

    # The lock-free queue under every port.
    system_library(
        name = "concurrentqueue",
        package = "libconcurrentqueue-dev",
        include = ["concurrentqueue"],
    )

    # Reflection of aggregates: verification walks members without a declaration by the author.
    system_library(
        name = "pfr",
        package = "libboost1.81-dev",
        include = ["boost/pfr.hpp", "boost/pfr"],
    )

    # Probes for tracers (a header of macros).
    system_library(
        name = "systemtap_sdt",
        package = "systemtap-sdt-dev",
        prefix = "/usr/include/x86_64-linux-gnu",
        include = ["sys/sdt.h", "sys/sdt-config.h"],
    )

    # Tests.
    system_library(
        name = "googletest",
        package = "libgtest-dev libgmock-dev",
        include = ["gtest", "gmock"],
        build_file = "//bazel/system:googletest.BUILD",
    )

    # Model checking of the lock-free parts.
    system_library(
        name = "relacy",
        package = "relacy-dev",
        include = ["relacy"],
    )

    # Benchmarks.
    system_library(
        name = "benchmark",
        package = "libbenchmark-dev",
        include = ["benchmark"],
        build_file = "//bazel/system:benchmark.BUILD",
    )

    # The document type of the examples, and its adapter for verification.
    system_library(
        name = "nlohmann_json",
        package = "nlohmann-json3-dev",
        include = ["nlohmann"],
    )

    # Further types that an adapter lets be sent.
    system_library(
        name = "boost_container",
        package = "libboost1.81-dev",
        include = ["boost/container", "boost/intrusive"],
    )
    system_library(
        name = "simdjson",
        package = "libsimdjson-dev",
        include = ["simdjson.h"],
        library = "simdjson",
    )

    # Event loops of others, for the examples that run isolates inside of them.
    system_library(
        name = "boost_asio",
        package = "libboost1.81-dev",
        include = ["boost"],
    )
    system_library(
        name = "uv",
        package = "libuv1-dev",
        include = ["uv.h", "uv"],
        library = "uv",
    )

    # The default input of the examples.
    system_library(
        name = "iso_codes",
        package = "iso-codes",
        prefix = "/usr/share",
        include = ["iso-codes/json"],
        build_file = "//bazel/system:iso_codes.BUILD",
    )
