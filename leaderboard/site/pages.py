"""A page of the site, and how pages become HTML: everything is escaped, and a name that is missing is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmark.errors import MissingResource
from leaderboard.tables import printable

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["Page", "environment", "rendered"]

INSTALL = "pip install 'ner-gauntlet[site]'"


@dataclass(frozen=True)
class Page:
    """One HTML file.

    Attributes:
        path: in the site's folder, with slashes.
        template: that draws it.
        title: of the window, and the page's heading.
        section: of the navigation; empty for none.
        context: what the template is given.
        scripts: files of `static/` that add to it.
    """

    path: str
    template: str
    title: str
    section: str
    context: Mapping[str, Any] = field(default_factory=dict)
    scripts: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        """What leads from the page to the site's folder."""
        return "../" * self.path.count("/")


def environment() -> Environment:
    """Return the templates.

    Raises:
        MissingResource: the packages of the site are not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise MissingResource(f"the site needs Jinja2: {INSTALL}") from None
    environment = Environment(
        loader=PackageLoader("leaderboard.site"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    return environment


def rendered(page: Page, templates: Environment) -> str:
    """Return the HTML of a page."""
    return templates.get_template(page.template).render(page=page, root=page.root, **page.context)


def _breakable(name: str) -> str:
    """Return a name as HTML that may be broken after the marks within it, where its letters would be torn else."""
    from markupsafe import Markup, escape

    return Markup(re.sub("([_/:=])", r"\1<wbr>", str(escape(printable(name)))))  # noqa: S704 - escaped before


def _printable(value: Any) -> Any:
    """Write out control characters and marks that turn writing; what templates made themselves is left as it is."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
