"""Curves and Pareto plots as SVG, drawn when the site is built; colours follow the page, shapes tell rows apart too.

Each chart is drawn twice, for wide and for narrow windows, so that its words keep their size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from benchmark.errors import MissingResource
from leaderboard.site.pages import INSTALL
from leaderboard.tables import Table

__all__ = ["CHARTS", "Chart", "curves", "pareto"]

# After Okabe & Ito (2008), which readers of any colour vision tell apart; the page may take others in the dark.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A6BB5")
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
_INK, _SOFT, _LINE = "var(--ink, #1f2328)", "var(--soft, #59636e)", "var(--line, #d9d7d0)"
# Lines that are named; the others stand behind in grey.
_MOST_NAMED = 7
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_SIZES = {"wide": (560, 320), "narrow": (190, 230)}
_LINE_HEIGHT = 15


class Chart(NamedTuple):
    """A chart in its sizes.

    Attributes:
        svg: by size, `wide` and `narrow`.
        caption: what it shows, in words; stands for the picture where that is not seen.
    """

    svg: Mapping[str, str]
    caption: str


class _Series(NamedTuple):
    name: str
    points: Sequence[tuple[float, float]]
    control: bool


def curves(table: Table) -> Chart | None:
    """Draw attack rate against queries, a line a row."""
    import pandas as pd

    # The columns that are named for a number of queries.
    found = [(re.fullmatch(r"\D+(\d+)", column.key), column.key) for column in table.columns]
    at = [(int(match[1]), key) for match, key in found if match]
    rows = table.frame.to_dict(orient="records")
    series = [
        _Series(
            row["attack"],
            [(n, 100 * row[key]) for n, key in at if pd.notna(row[key])],
            control,
        )
        for row, control in zip(rows, table.controls, strict=True)
    ]
    series = [own for own in series if own.points]
    if len(at) < 2 or not series:  # noqa: PLR2004
        return None
    caption = "Attack rate (%) against the number of queries; " + _told(series)
    return Chart({size: _lines(series, *shape, size) for size, shape in _SIZES.items()}, caption)


def pareto(table: Table) -> Chart | None:
    """Draw attack rate against the share of words changed, a point a row; what is on the front is filled."""
    import pandas as pd

    needed = ("attack_rate", "modification_rate", "front")
    if not all(key in table.frame for key in needed):
        return None
    rows = [row for row in table.frame.to_dict(orient="records") if all(pd.notna(row[key]) for key in needed[:2])]
    if len(rows) < 2:  # noqa: PLR2004
        return None
    for row in rows:  # of controls nothing is said
        row["front"] = row["front"] if isinstance(row["front"], str) else ""
    front = ", ".join(row["attack"] for row in rows if row["front"] == "yes")
    caption = (
        "Attack rate (%) against the share of words changed (%): the higher and the farther left, the better. "
        f"Filled, on the front (similarity counts too): {front or 'none'}. Grey: controls."
    )
    return Chart({size: _points(rows, *shape, size) for size, shape in _SIZES.items()}, caption)


# The boards that are drawn as well.
CHARTS: Mapping[str, Callable[[Table], Chart | None]] = {"curves": curves, "pareto": pareto}


def _told(series: Sequence[_Series]) -> str:
    ends = [f"{own.name} {own.points[-1][1]:.0f}" for own in series]
    return "at the whole budget: " + ", ".join(ends) + "."


def _lines(series: Sequence[_Series], width: int, height: int, size: str) -> str:
    import pandas as pd

    alt = _altair()

    named = [own for own in series if not own.control][:_MOST_NAMED]
    controls = [own for own in series if own.control]
    others = [own for own in series if own not in named and not own.control]
    most = max(x for own in series for x, _ in own.points)
    top = 100.0
    x_axis = alt.Axis(
        values=[2**k for k in range(0, int(most).bit_length() + 1, 1 if size == "wide" else 2)],
        format="d",
        title="queries",
    )
    x = alt.X("x:Q", scale=alt.Scale(type="log", base=2, domain=[1, most], nice=False), axis=x_axis)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, top]), axis=alt.Axis(title="attack rate, %", tickCount=5))

    def frame(own: Sequence[_Series]) -> pd.DataFrame:
        return pd.DataFrame([{"name": f"{k}", "x": x, "y": y} for k, s in enumerate(own) for x, y in s.points])

    layers = []
    for own, dash, opacity in ((others, [1, 0], 0.35), (controls, [2, 3], 0.9)):
        if own:
            layers.append(
                alt.Chart(frame(own))
                .mark_line(color=_SOFT, strokeWidth=1.2, strokeDash=dash, opacity=opacity)
                .encode(x=x, y=y, detail="name:N")
            )
    for k, one in enumerate(named):
        base = alt.Chart(frame([one])).encode(x=x, y=y)
        layers += [
            base.mark_line(color=_colour(k), strokeWidth=2),
            base.mark_point(color=_colour(k), shape=_SHAPES[k], filled=True, size=28, opacity=1),
        ]
    labelled = [*((s, _colour(k), _SHAPES[k]) for k, s in enumerate(named)), *((s, _SOFT, "stroke") for s in controls)]
    places = _spread([s.points[-1][1] for s, _, _ in labelled], top / height * _LINE_HEIGHT, top)
    for (one, colour, shape), place in zip(labelled, places, strict=True):
        layers += _label(one.name, alt.value(width + 12), alt.YDatum(place), colour, shape, size)
    return _svg(alt.layer(*layers), width, height)


def _points(rows: Sequence[Mapping[Any, Any]], width: int, height: int, size: str) -> str:
    import pandas as pd

    alt = _altair()

    most = max(100 * row["modification_rate"] for row in rows) * 1.1 or 1.0
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, most]), axis=alt.Axis(title="words changed, %", tickCount=5))
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(title="attack rate, %", tickCount=5))
    accent = "var(--accent, #0b6470)"
    styles: Mapping[str, Mapping[str, Any]] = {
        "yes": {"color": accent, "filled": True, "size": 90},
        "no": {"color": accent, "filled": False, "size": 60},
        "": {"color": _SOFT, "filled": False, "size": 50, "shape": "diamond"},
    }
    layers = []
    for kind, style in styles.items():
        own = [row for row in rows if row["front"] == kind]
        if own:
            data = pd.DataFrame([{"x": 100 * r["modification_rate"], "y": 100 * r["attack_rate"]} for r in own])
            layers.append(alt.Chart(data).mark_point(opacity=1, strokeWidth=1.6, **style).encode(x=x, y=y))
    told = [row for row in rows if row["front"]][:_MOST_NAMED] + [row for row in rows if not row["front"]][:3]
    places = _spread([100 * row["attack_rate"] for row in told], 100 / height * _LINE_HEIGHT, 100)
    for row, place in zip(told, places, strict=True):
        colour = _INK if row["front"] else _SOFT
        layers += _label(row["attack"], alt.value(width + 4), alt.YDatum(place), colour, None, size)
        # A thin line leads from the point to its name.
        leader = pd.DataFrame(
            [
                {"x": 100 * row["modification_rate"], "y": 100 * row["attack_rate"], "k": 0},
                {"x": most, "y": place, "k": 1},
            ]
        )
        layers.insert(
            0, alt.Chart(leader).mark_line(color=_LINE, strokeWidth=1).encode(x=x, y=y, order=alt.Order("k:Q"))
        )
    return _svg(alt.layer(*layers), width, height)


def _label(name: str, x: Any, y: Any, colour: str, shape: str | None, size: str) -> list[Any]:
    import pandas as pd

    alt = _altair()
    longest = 34 if size == "wide" else 17
    text = name if len(name) <= longest else name[: longest - 1] + "…"
    here = alt.Chart(pd.DataFrame([{"name": text}])).encode(x=x, y=y)
    ink = _SOFT if colour == _SOFT else _INK
    layers = [here.mark_text(align="left", baseline="middle", dx=8, color=ink, fontSize=12).encode(text="name:N")]
    if shape:
        layers.append(here.mark_point(shape=shape, filled=shape != "stroke", color=colour, size=36, opacity=1))
    return layers


def _spread(values: Sequence[float], gap: float, top: float) -> list[float]:
    """Move heights apart that are nearer than a line of text, as little as goes, and keep them below the top."""
    order = sorted(range(len(values)), key=lambda k: values[k])
    placed: list[float] = []
    for k in order:
        placed.append(max(values[k], placed[-1] + gap if placed else 0.0))
    ceiling = top
    for n in range(len(placed) - 1, -1, -1):
        placed[n] = min(placed[n], ceiling)
        ceiling = placed[n] - gap
    found = dict(zip(order, placed, strict=True))
    return [round(found[k], 3) for k in range(len(values))]


def _colour(k: int) -> str:
    return f"var(--series-{k + 1}, {_COLOURS[k]})"


def _svg(chart: Any, width: int, height: int) -> str:
    import vl_convert

    axis = {
        "domainColor": _LINE,
        "tickColor": _LINE,
        "gridColor": _LINE,
        "gridOpacity": 0.7,
        "labelColor": _SOFT,
        "titleColor": _SOFT,
        "labelFont": _FONT,
        "titleFont": _FONT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": 400,
        "titlePadding": 10,
    }
    config = {
        "aria": False,
        "background": None,
        # Browsers have other fonts than the one that names are measured with here.
        "padding": {"left": 5, "top": 8, "right": 28, "bottom": 5},
        "view": {"stroke": None},
        "axis": axis,
        "axisX": {"grid": False},
        "axisY": {"domain": False, "ticks": False},
        "text": {"font": _FONT},
    }
    spec = chart.properties(width=width, height=height).to_dict(validate=False)
    spec["config"] = config
    svg: str = vl_convert.vegalite_to_svg(spec)
    # The caption is read out instead.
    return svg.replace("<svg ", '<svg aria-hidden="true" ', 1)


def _altair() -> Any:
    """Return Altair.

    Raises:
        MissingResource: it, or what draws its charts, is not installed.
    """
    try:
        import altair as alt
        import vl_convert  # noqa: F401
    except ImportError as error:
        raise MissingResource(f"charts need {error.name}: {INSTALL}") from None
    return alt
