"""Put first on the path of a desk, this makes its Russian a made-up language: every text that goes through the
catalogue is accented and a third longer, so that one that does not, or that has no room, stands out."""

import re
from pathlib import Path

from hub import catalogues

LANGUAGE = "ru"
_ACCENTED = str.maketrans("aeiouyAEIOUYcdgnrstCDGNRST", "áéíóúýÁÉÍÓÚÝćđǧńřšţĆĐǦŃŘŠŢ")
_load = catalogues.load


def longer(text: str) -> str:
    told = "".join(part if part.startswith("{") else part.translate(_ACCENTED) for part in _parts(text))
    return f"⟦{told}{'·' * (len(text) // 3)}⟧"


def _parts(text: str) -> list[str]:
    return re.split(r"(\{\d\}|\{\{[\w.]+\}\})", text)


def load(domain: str, lang: str, folder: Path = catalogues.FOLDER) -> catalogues.Texts:
    found = _load(domain, lang, folder)
    if lang == LANGUAGE:
        from babel.messages.pofile import read_po

        with (folder / f"{domain}.pot").open("rb") as file:
            for message in read_po(file):
                if isinstance(message.id, tuple | list):
                    one, many = message.id
                    found.messages[one] = [longer(one), longer(many), longer(many)]
                elif message.id:
                    found.messages[message.id] = longer(message.id)
    return found


catalogues.load = load
