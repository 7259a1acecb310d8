"""The translations as pages use them; `hub.catalogues` reads them."""

from hub.catalogues import DOMAINS, FOLDER, LANGUAGES, PLURALS, SOURCE, Texts, best, dates, load

__all__ = ["DOMAINS", "FOLDER", "LANGUAGES", "PLURALS", "SOURCE", "Texts", "best", "dates", "load"]
