"""compile_test: a source must compile, or must be rejected with the expected message.

The compile command comes from Bazel's own C++ toolchain (same compiler, flags and include paths as
a cc_library). The action itself never fails: it records the exit status and the messages, and the
test checks them.
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

CompileLogInfo = provider(doc = "What the compiler said.", fields = ["log"])

def _compile(ctx, source, defines, expectation):
    """Returns the file with the compiler's messages and, in its last line, its exit status."""
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        # These need a module map of this very target, which only the native rules make.
        unsupported_features = ctx.disabled_features + ["layering_check", "module_maps"],
    )
    merged = cc_common.merge_cc_infos(cc_infos = [d[CcInfo] for d in ctx.attr.deps])
    context = merged.compilation_context
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        source_file = source.path,
        user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + ctx.attr.copts,
        include_directories = context.includes,
        quote_include_directories = context.quote_includes,
        system_include_directories = context.system_includes,
        preprocessor_defines = depset(transitive = [context.defines, depset(defines)]),
    )
    compiler = cc_common.get_tool_for_action(
        feature_configuration = features,
        action_name = CPP_COMPILE_ACTION_NAME,
    )
    argv = cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = CPP_COMPILE_ACTION_NAME,
        variables = variables,
    )
    env = cc_common.get_environment_variables(
        feature_configuration = features,
        action_name = CPP_COMPILE_ACTION_NAME,
        variables = variables,
    )
    log = ctx.actions.declare_file(ctx.label.name + ".log")
    ctx.actions.run_shell(
        outputs = [log],
        inputs = depset(
            [source] + ctx.files.extra_headers,
            transitive = [context.headers, toolchain.all_files],
        ),
        command = 'log=$1; shift; st=0; LC_ALL=C "$@" -fsyntax-only > "$log" 2>&1 || st=$?; ' +
                  'echo "exit status $st" >> "$log"',
        arguments = [log.path, compiler] + argv,
        env = env,
        mnemonic = "CompileTest",
        progress_message = "Compiling %s, which must %s" % (source.short_path, expectation),
    )
    return log

_COMPILE_ATTRS = {
    "deps": attr.label_list(providers = [CcInfo]),
    "extra_headers": attr.label_list(
        allow_files = True,
        doc = "files that the source includes and no dep declares",
    ),
    "copts": attr.string_list(),
    "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
}

_TOOLCHAINS = ["@bazel_tools//tools/cpp:toolchain_type"]

def _attrs(extra):
    attrs = dict(_COMPILE_ATTRS)
    attrs.update(extra)
    return attrs

def _test(ctx, content, logs):
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    head = "#!/bin/sh\ncd \"$TEST_SRCDIR/$TEST_WORKSPACE\" || exit 1\n"
    ctx.actions.write(script, content = head + content, is_executable = True)
    return [DefaultInfo(executable = script, runfiles = ctx.runfiles(files = logs))]

_MUST_COMPILE = """cat '{log}'
grep -qx 'exit status 0' '{log}' || {{ echo 'FAIL: {what} must compile'; exit 1; }}
"""

_MUST_NOT_COMPILE = """cat '{log}'
grep -qx 'exit status 1' '{log}' || {{ echo 'FAIL: expected a rejection by the compiler'; exit 1; }}
grep -Eq -- '{pattern}' '{log}' || {{ echo 'FAIL: no message matches: {pattern}'; exit 1; }}
"""

def _log_impl(ctx):
    return [CompileLogInfo(log = _compile(ctx, ctx.file.src, ctx.attr.defines, "compile"))]

# The control of a must-not-compile test: the same source without the bad line.
compile_log = rule(
    implementation = _log_impl,
    attrs = _attrs({
        "src": attr.label(allow_single_file = [".cc"], mandatory = True),
        "defines": attr.string_list(),
    }),
    fragments = ["cpp"],
    toolchains = _TOOLCHAINS,
)

def _nocompile_impl(ctx):
    control = ctx.attr.control[CompileLogInfo].log
    log = _compile(ctx, ctx.file.src, ctx.attr.defines, "not compile")
    content = _MUST_COMPILE.format(
        log = control.short_path,
        what = "the source without the bad line",
    ) + _MUST_NOT_COMPILE.format(
        log = log.short_path,
        pattern = ctx.attr.message.replace("'", "'\\''"),
    )
    return _test(ctx, content, [control, log])

nocompile_test = rule(
    implementation = _nocompile_impl,
    test = True,
    attrs = _attrs({
        "src": attr.label(allow_single_file = [".cc"], mandatory = True),
        "defines": attr.string_list(),
        "message": attr.string(
            mandatory = True,
            doc = "extended regular expression: a missing header is an error, too, but not this one",
        ),
        "control": attr.label(providers = [CompileLogInfo], mandatory = True),
    }),
    fragments = ["cpp"],
    toolchains = _TOOLCHAINS,
)

def _header_impl(ctx):
    source = ctx.actions.declare_file(ctx.label.name + "_alone.cc")
    include = "#include \"%s\"\n" % ctx.attr.header
    ctx.actions.write(source, include + include)  # twice: its guard is tested, too
    log = _compile(ctx, source, [], "compile")
    content = _MUST_COMPILE.format(log = log.short_path, what = "each public header alone")
    return _test(ctx, content, [log])

header_test = rule(
    implementation = _header_impl,
    test = True,
    attrs = _attrs({"header": attr.string(mandatory = True)}),
    fragments = ["cpp"],
    toolchains = _TOOLCHAINS,
)
