"""Which devices and cards there are: an explicit table, plus what the user adds."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from .card import Card, read_card
from .definition import unchecked
from .errors import CardError, DefinitionError, UnknownNameError
from .model import Model

DEVICES: dict[str, str] = {
    "drift_memristor": ".devices.drift_memristor",
    "diffusive_memristor": ".devices.diffusive_memristor",
    "silver_sulfide_switch": ".devices.silver_sulfide_switch",
    "ionic_synapse": ".devices.ionic_synapse",
    "oxide_tunnel_junction": ".devices.oxide_tunnel_junction",
}
"""Each shipped device and the module that defines it as ``MODEL``."""

_CARD_FOLDER = Path(__file__).parent / "cards"
_user_devices: dict[str, Model] = {}


def device_names() -> tuple[str, ...]:
    """Return the names of all devices, shipped and added."""
    return (*DEVICES, *_user_devices)


def get_device(name: str) -> Model:
    """Return a device's model.

    The shipped devices are not checked once more; the tests run their definitions with every check.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    if name in _user_devices:
        return _user_devices[name]
    if name not in DEVICES:
        raise UnknownNameError("device", name, device_names())
    with unchecked():
        model: Model = import_module(DEVICES[name], __package__).MODEL
    return model


def add_device(model: Model) -> Model:
    """Make a model of the user's known by its name, for cards and experiments, and return it.

    Raises
    ------
    DefinitionError
        If a shipped device has the name.
    """
    if model.name in DEVICES:
        raise DefinitionError(model.name, ["a shipped device has this name; choose another"])
    _user_devices[model.name] = model
    return model


def load_device(path: Path) -> Model:
    """Run a Python file that defines ``MODEL``, add the model and return it.

    Raises
    ------
    DefinitionError
        If the file cannot be run, or defines no ``MODEL``.
    """
    spec = importlib.util.spec_from_file_location(f"synspice_user_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise DefinitionError(str(path), ["not a Python file that can be read"])
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except DefinitionError:
        raise
    except Exception as error:
        raise DefinitionError(str(path), [f"running it failed: {type(error).__name__}: {error}"]) from error
    model = getattr(module, "MODEL", None)
    if not isinstance(model, Model):
        raise DefinitionError(str(path), ["the file defines no MODEL = Definition(...).model()"])
    return add_device(model)


@cache
def card_paths() -> Mapping[str, Path]:
    """Return the shipped cards' files by card name (the file's stem)."""
    return {path.stem: path for path in sorted(_CARD_FOLDER.glob("*.toml"))}


def get_card(name: str | Path) -> Card:
    """Return a card: a shipped one by its name, or a file.

    Parameters
    ----------
    name : str or Path
        A shipped card's name, the path of a card file, or a device's name (its defaults as a card).

    Raises
    ------
    UnknownNameError, CardError
    """
    text = str(name)
    if text in card_paths():
        return read_card(card_paths()[text], get_device)
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        if not path.is_file():
            raise CardError(f"{path}: there is no such card file")
        return read_card(path, get_device)
    if text in device_names():
        return default_card(get_device(text))
    raise UnknownNameError("card or device", text, (*card_paths(), *device_names()))


def resolve(device: Card | Model | str | Path) -> tuple[Card, Model]:
    """Return the card and the model that a card, a model, the name of either or a card file stands for.

    Raises
    ------
    UnknownNameError, CardError
    """
    if isinstance(device, Model):
        return default_card(device), device
    card = device if isinstance(device, Card) else get_card(device)
    return card, get_device(card.device)


def default_card(model: Model) -> Card:
    """Return a device's defaults as a card: every value is an assumption."""
    return Card(
        name=model.name,
        device=model.name,
        title=f"{model.title}, default values",
        source="defaults of the definition, assumed",
        values={},
    )


def cards_of(device: str) -> list[Card]:
    """Return the shipped cards of a device."""
    return [card for card in map(get_card, card_paths()) if card.device == device]
