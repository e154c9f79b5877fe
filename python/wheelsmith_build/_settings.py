"""Settings of installers (`--config-settings`, `-C`) as arguments of the program."""

import sys

# Every setting, and whether it takes a value; `jobs` and `verbose` are for every command.
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
    """`command` with those of the settings that it takes; `takes` names them.

    A setting of another command is passed over: installers hand the same ones to every hook.
    """
    words = list(command)
    settings = dict(config_settings or {})
    unknown = sorted(name for name in settings if name not in _SETTINGS)
    if unknown:
        sys.exit(
            "wheelsmith: there is no setting `{}`; there are: {}".format(
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
        sys.exit("wheelsmith: the setting `{}` is `true` or `false`, not `{}`".format(name, value))
    return word in _YES
