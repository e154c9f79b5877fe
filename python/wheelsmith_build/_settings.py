"""Arguments of the program for the settings of installers (`--config-settings`, `-C`)."""

import sys

# All settings, and whether they take a value. `jobs` and `verbose` are for every command.
_SETTINGS = {
    "compression": True,
    "features": True,
    "floor": True,
    "jobs": True,
    "locked": False,
    "offline": False,
    "target": True,
    "verbose": False,
    "wheel": True,
}
_GLOBAL = ("jobs", "verbose")
_YES = ("", "1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")


def arguments(command, config_settings, takes, default_target):
    """Return `command` with arguments for the settings that `takes` names.

    Settings of other commands are ignored, because installers pass the same ones to every hook.
    """
    words = list(command)
    settings = dict(config_settings or {})
    unknown = sorted(name for name in settings if name not in _SETTINGS)
    if unknown:
        sys.exit(
            "wheelsmith: unknown setting `{}`; known are: {}".format(
                "`, `".join(unknown), ", ".join(sorted(_SETTINGS))
            )
        )
    if "target" in takes and not settings.get("target"):
        settings["target"] = default_target()
    for name in sorted(settings):
        if name not in takes and name not in _GLOBAL:
            continue
        given = settings[name]
        values = given if isinstance(given, (list, tuple)) else [given]
        if _SETTINGS[name]:
            for value in values:
                words += ["--" + name, str(value)]
        elif _is_on(name, values[-1] if values else ""):
            words.append("--" + name)
    return words


def _is_on(name, value):
    word = str(value).lower()
    if word not in _YES + _NO:
        sys.exit("wheelsmith: the setting `{}` must be `true` or `false`, not `{}`".format(name, value))
    return word in _YES
