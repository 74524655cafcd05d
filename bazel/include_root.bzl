"""include_root: adds a folder of this repository to the include path of all that depend on it.

cc_library(includes = ...) would add it as a system folder, and the compiler would then be silent
about our headers.
"""

def _impl(ctx):
    root = ctx.label.workspace_root
    path = root + "/" + ctx.attr.folder if root else ctx.attr.folder
    return [CcInfo(compilation_context = cc_common.create_compilation_context(
        includes = depset([path]),
    ))]

include_root = rule(
    implementation = _impl,
    attrs = {"folder": attr.string(mandatory = True)},
    provides = [CcInfo],
)
