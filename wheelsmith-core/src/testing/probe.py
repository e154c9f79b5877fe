# Says what a Python is, as JSON. Any Python 3 must be able to read it.
import glob, json, os, sys, sysconfig


def pips():
    stdlib = sysconfig.get_path("stdlib") or ""
    places = [os.path.join(stdlib, "ensurepip", "_bundled"), sysconfig.get_config_var("WHEEL_PKG_DIR")]
    for place in places:
        for wheel in sorted(glob.glob(os.path.join(place or os.devnull, "pip-*.whl")), reverse=True):
            yield os.path.join(wheel, "pip")
    for place in sys.path:
        main = os.path.join(place, "pip", "__main__.py")
        if os.path.isfile(main):
            yield os.path.dirname(main)


def libc():
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):
        return None


kind = "%s %s" % (sysconfig.get_config_var("HOST_GNU_TYPE"), sysconfig.get_config_var("SOABI"))
version = sys.implementation.version if sys.implementation.name == "cpython" else sys.version_info
print(json.dumps({
    "program": getattr(sys, "_base_executable", None) or sys.executable,
    "version": list(version[:3]),
    "implementation": sys.implementation.name,
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "platform": sysconfig.get_platform(),
    "libc": libc(),
    "musl": "musl" in kind,
    "pip": next(pips(), None),
}))
