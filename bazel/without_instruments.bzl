"""without_instruments: a program that is built, with all its libraries, without instruments."""

def _transition_impl(_settings, _attr):
    return {"//bazel:instruments": "none"}

_without = transition(
    implementation = _transition_impl,
    inputs = [],
    outputs = ["//bazel:instruments"],
)

def _impl(ctx):
    program = ctx.attr.program[0]  # a transition makes a list of it
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = executable,
        target_file = program[DefaultInfo].files_to_run.executable,
        is_executable = True,
    )

    # Without the program's runfiles: there it has the path of the one that is built with them.
    return [DefaultInfo(executable = executable)]

without_instruments = rule(
    implementation = _impl,
    executable = True,
    attrs = {
        "program": attr.label(cfg = _without, executable = True, mandatory = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)
