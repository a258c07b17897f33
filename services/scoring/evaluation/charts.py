"""Plots as inline SVG: one small frame with axes, into which lines, points and a diagonal are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 460, 320
LEFT, TOP, RIGHT, BOTTOM = 56, 14, 14, 44
TICKS = 5
LEGEND = 190
COLOURS = ("#1f5fa8", "#c2571a", "#5a8f3c", "#7a7a7a")


@dataclass(frozen=True)
class Series:
    """Points to join, or only to mark; `sizes` in pixels of radius."""

    name: str
    points: Sequence[tuple[float, float]]
    joined: bool = True
    dashed: bool = False
    sizes: Sequence[float] = ()


@dataclass(frozen=True)
class Chart:
    """Axes from zero, or from the lowest point where that is below it."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    percent: bool = False
    x_range: tuple[float, float] = field(init=False)
    y_range: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        points = [point for one in self.series for point in one.points] or [(0.0, 0.0)]
        for name, values in (("x_range", [x for x, _ in points]), ("y_range", [y for _, y in points])):
            low, high = min(0.0, *values), max(0.0, *values)
            object.__setattr__(self, name, (low, high if high > low else low + 1.0))

    def svg(self) -> str:
        """The chart as an element that needs nothing from elsewhere."""
        body = [*self._grid(), *(part for i, one in enumerate(self.series) for part in self._draw(one, COLOURS[i % 4]))]
        parts = "".join((*body, *self._legend()))
        return (
            f'<figure><figcaption>{escape(self.title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(self.title)}" xmlns="http://www.w3.org/2000/svg">{parts}</svg></figure>'
        )

    def _at(self, x: float, y: float) -> tuple[float, float]:
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        across = LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)
        return round(across, 1), round(HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM), 1)

    def _grid(self) -> list[str]:
        parts = [
            _text(WIDTH / 2 + LEFT / 2, HEIGHT - 6, self.x_label, "middle"),
            f'<text transform="translate(12 {HEIGHT / 2 - 10}) rotate(-90)" text-anchor="middle">{escape(self.y_label)}</text>',
        ]
        for i in range(TICKS + 1):
            x = self.x_range[0] + i / TICKS * (self.x_range[1] - self.x_range[0])
            y = self.y_range[0] + i / TICKS * (self.y_range[1] - self.y_range[0])
            (across, _), (_, up) = self._at(x, 0.0), self._at(0.0, y)
            parts += [
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up}" y2="{up}" stroke="#ddd"/>',
                _text(across, HEIGHT - BOTTOM + 16, self._label(x), "middle"),
                _text(LEFT - 6, up + 4, self._label(y), "end"),
            ]
        return parts

    def _label(self, value: float) -> str:
        return f"{value:.0%}" if self.percent else f"{value:.3g}"

    def _draw(self, one: Series, colour: str) -> list[str]:
        places = [self._at(x, y) for x, y in one.points]
        if one.joined:
            joined = " ".join(f"{x},{y}" for x, y in places)
            dash = ' stroke-dasharray="5 4"' if one.dashed else ""
            return [f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>']
        sizes = one.sizes or [3.5] * len(places)
        return [
            f'<circle cx="{x}" cy="{y}" r="{size:.1f}" fill="{colour}" fill-opacity="0.75"/>'
            for (x, y), size in zip(places, sizes, strict=True)
        ]

    def _legend(self) -> list[str]:
        """At the lower right, where curves of the best first leave room."""
        left, top = WIDTH - RIGHT - LEGEND, HEIGHT - BOTTOM - 8 - 16 * len(self.series)
        return [
            f'<rect x="{left}" y="{top + 16 * i}" width="10" height="10" fill="{COLOURS[i % 4]}"/>'
            + _text(left + 16, top + 9 + 16 * i, one.name, "start")
            for i, one in enumerate(self.series)
        ]


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
