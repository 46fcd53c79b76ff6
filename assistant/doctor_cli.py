"""`opsplane doctor` on the terminal."""

import threading
from pathlib import Path
from typing import Annotated

import typer

from assistant import bootstrap, doctor, doctor_local, shell
from assistant.doctor import Health, Probe, Sign
from assistant.settings import Settings
from assistant.shell import Data, Json, out

_MARKS = {Health.WELL: ("✓", "green"), Health.DOUBTFUL: ("!", "yellow"), Health.ILL: ("✗", "red")}


def examine(
    data: Data = None,
    config: Annotated[Path | None, typer.Option(help="A file of settings. [OPSPLANE_CONFIG]")] = None,
    as_json: Json = False,
) -> None:
    """Check everything that this configuration depends on, a line each; ends with 1 where something is wrong.

    Nothing is changed: tokens are counted, not written; alerts are not sent; databases are read.
    """
    settings = shell.chosen(data, config=config)
    probes = [*doctor_local.probes(settings, bootstrap.now), *_of_services(settings)]
    signs: list[Sign] = []
    for sign in doctor.examine(probes):
        signs.append(sign)
        if not as_json:
            mark, colour = _MARKS[sign.health]
            out.print(f"[{colour}]{mark}[/] {sign.name:<{_widest(probes)}}  ", end="", highlight=False)
            out.print(sign.words, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        shell.print_json([{"name": one.name, "health": one.health.value, "words": one.words} for one in signs])
    else:
        out.print(_summary(signs), highlight=False)
    raise typer.Exit(shell.VIOLATED if doctor.worst(signs) is Health.ILL else shell.FINE)


def _of_services(settings: Settings) -> list[Probe]:
    """What is asked of others than this machine."""
    # Google's clients take their time to import, and every other command does without them.
    from assistant import doctor_cloud, doctor_services  # noqa: PLC0415

    return [*doctor_cloud.probes(settings, bootstrap.now), *doctor_services.probes(settings, bootstrap.now)]


def _widest(probes: list[Probe]) -> int:
    return max(len(probe.name) for probe in probes)


def _summary(signs: list[Sign]) -> str:
    ill, doubtful = (sum(one.health is kind for one in signs) for kind in (Health.ILL, Health.DOUBTFUL))
    look = f", {doubtful} looked at" if doubtful else ""
    if ill:
        return f"{ill} of {len(signs)} must be mended before the product serves{look}."
    return f"It will serve; {doubtful} of {len(signs)} to look at." if doubtful else f"All {len(signs)} are well."


def ask_later(settings: Settings) -> None:
    """Ask Google Cloud while the product serves already, and complain of what is ill; nothing where there is no cloud.

    It does not keep anybody waiting, nor from serving: other regions or the embedded model may answer.
    """
    if not settings.google_project:
        return

    def ask() -> None:
        for sign in doctor.examine(_of_services(settings)):
            if sign.health is Health.ILL:
                shell.complain(f"{sign.name}: {sign.words}")

    threading.Thread(target=ask, daemon=True, name="doctor").start()
