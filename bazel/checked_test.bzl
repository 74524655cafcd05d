"""checked_test: a test program that is built, with all its libraries, as a checked build.

Whatever the command line says about //bazel:checked: what such a test looks at exists nowhere else.
"""

def _transition_impl(settings, _attr):
    # Debug builds and the configurations of the sanitizers are checked already: nothing is built
    # twice there.
    is_debug = settings["//command_line_option:compilation_mode"] == "dbg"
    return {"//bazel:checked": settings["//bazel:checked"] or not is_debug}

_checked = transition(
    implementation = _transition_impl,
    inputs = ["//bazel:checked", "//command_line_option:compilation_mode"],
    outputs = ["//bazel:checked"],
)

def _impl(ctx):
    program = ctx.attr.program[0]  # a transition makes a list of it
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = executable,
        target_file = program[DefaultInfo].files_to_run.executable,
        is_executable = True,
    )
    return [DefaultInfo(
        executable = executable,
        runfiles = program[DefaultInfo].default_runfiles,
    )]

checked_test = rule(
    implementation = _impl,
    test = True,
    attrs = {
        "program": attr.label(cfg = _checked, executable = True, mandatory = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)
