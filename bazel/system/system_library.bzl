"""system_library: a repository around a library that the system's package manager installed.

The headers are linked into the repository so that an upgrade of the package rebuilds what uses it;
the compiler still finds them in its own default folder. A missing package or a version that is too
old is reported here, when the first target asks for it, with the name of the package.
"""

_BUILD = """package(default_visibility = ["//visibility:public"])

cc_library(
    name = "{name}",
    hdrs = glob(["include/**/*.h", "include/**/*.hpp"]),
    linkopts = {linkopts},
)
"""

def _advice(ctx):
    return "Run bazel/bazelw, which installs what is missing, or install: " + ctx.attr.package

def _version(text, macro):
    for line in text.split("\n"):
        words = [w for w in line.replace("\t", " ").split(" ") if w]
        if len(words) >= 3 and words[0] == "#define" and words[1] == macro and words[2].isdigit():
            return int(words[2])
    return 0

def _impl(ctx):
    for item in ctx.attr.include:
        source = ctx.path(ctx.attr.prefix + "/" + item)
        if not source.exists:
            fail("\n\n{}: {} does not exist.\n{}\n".format(ctx.name, source, _advice(ctx)))
        ctx.symlink(source, "include/" + item)
    if ctx.attr.version_macro:
        header = ctx.path(ctx.attr.prefix + "/" + ctx.attr.version_header)
        found = _version(ctx.read(header), ctx.attr.version_macro)
        if found < ctx.attr.minimum_version:
            fail("\n\n{} {} or newer is needed, but {} says {} = {}.\n{}\n".format(
                ctx.name,
                ctx.attr.minimum_version_name,
                header,
                ctx.attr.version_macro,
                found,
                _advice(ctx),
            ))
    if ctx.attr.build_file:
        ctx.symlink(ctx.path(ctx.attr.build_file), "BUILD")
    else:
        linkopts = ["-l" + ctx.attr.library] if ctx.attr.library else []
        ctx.file("BUILD", _BUILD.format(name = ctx.name, linkopts = linkopts))

system_library = repository_rule(
    implementation = _impl,
    local = True,
    attrs = {
        "package": attr.string(mandatory = True, doc = "Debian package(s), for the message"),
        "prefix": attr.string(default = "/usr/include"),
        "include": attr.string_list(mandatory = True, doc = "files and folders below prefix"),
        "library": attr.string(doc = "name for -l; empty for header-only libraries"),
        "build_file": attr.label(allow_single_file = True, doc = "instead of the generated one"),
        "version_header": attr.string(),
        "version_macro": attr.string(doc = "an integer #define in version_header"),
        "minimum_version": attr.int(),
        "minimum_version_name": attr.string(),
    },
)
