"""Bars as SVG, in the style of the server's own pictures (api/svg.h): on a logarithmic scale, or cut into shares."""
import math
from xml.sax.saxutils import escape

STYLE = """<style>.paper{fill:#fff}text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-size:12px;\
fill:#57606a}.title{font-size:17px;font-weight:600;fill:#1f2328}.name{font-weight:600;fill:#1f2328}.end{text-anchor:end}.middle{text-anchor:middle}\
.grid{stroke:#d8dee4;stroke-width:1;fill:none}.descentd{fill:#0969da}.PyTorch{fill:#d4650a}.JAX{fill:#1a7f64}.scikit-learn{fill:#b3309b}\
.limit{fill:none;stroke:#8c959f;stroke-dasharray:4 3}@media(prefers-color-scheme:dark){.paper{fill:#0d1117}text{fill:#9198a1}.title,.name{fill:#e6edf3}\
.grid{stroke:#2a313a}.descentd{fill:#4c9fff}.PyTorch{fill:#f0883e}.JAX{fill:#3fb68b}.scikit-learn{fill:#e06ccb}.limit{stroke:#656d76}}</style>"""
WIDTH, LEFT, RIGHT, TOP, BAR, GAP = 800, 160, 90, 76, 18, 34
COLOURS = ("descentd", "PyTorch", "JAX", "scikit-learn")  # any other bar is a limit: an outline


def short(value):
    """Three digits, with k and M."""
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"


def bars(title, subtitle, groups):
    """groups: (name, [(label, value)]). The picture's text."""
    values = [value for _, group in groups for _, value in group]
    low, high = math.floor(math.log10(min(values)) - 0.1), math.log10(max(values))
    at = lambda value: LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)  # noqa: E731
    body, y = [], TOP
    for name, group in groups:
        body.append(f'<text class="name" x="20" y="{y}">{escape(name)}</text>')
        y += 8
        for label, value in group:
            kind = label if label in COLOURS else "limit"
            body.append(f'<text class="end" x="{LEFT - 8}" y="{y + 13}">{escape(label)}</text>'
                        f'<rect class="{kind}" x="{LEFT}" y="{y + 2}" width="{at(value) - LEFT:.1f}" height="{BAR - 4}" rx="2"/>'
                        f'<text x="{at(value) + 6:.1f}" y="{y + 13}">{short(value)}</text>')
            y += BAR
        y += GAP - 8
    bottom = y - GAP + 8
    grid = [f'<path class="grid" d="M{at(10**p):.1f} {TOP - 8}V{bottom}"/>'
            f'<text class="middle" x="{at(10**p):.1f}" y="{bottom + 18}">{short(10**p)}</text>' for p in range(low, math.floor(high) + 1)]
    return picture(title, subtitle, bottom + 34, [*grid, *body])


SHARE_COLOURS = ("#0969da", "#d4650a", "#1a7f64", "#b3309b", "#9a6700", "#8c959f", "#d0d7de")


def shares(title, subtitle, names, rows):
    """rows: (name, share of each of the names). A bar each, and what the colours mean."""
    legend, body, width = [], [], WIDTH - LEFT - RIGHT
    for i, name in enumerate(names):
        x = LEFT + i * width / len(names)
        legend.append(f'<rect x="{x:.0f}" y="{TOP - 12}" width="11" height="11" rx="2" fill="{SHARE_COLOURS[i]}"/><text x="{x + 16:.0f}" y="{TOP - 2}">{escape(name)}</text>')
    y = TOP + 8
    for name, values in rows:
        body.append(f'<text class="end" x="{LEFT - 8}" y="{y + 14}">{escape(name)}</text>')
        x = LEFT
        for value, colour in zip(values, SHARE_COLOURS):
            body.append(f'<rect x="{x:.1f}" y="{y + 2}" width="{value * width:.1f}" height="{BAR}" fill="{colour}"><title>{value:.1%}</title></rect>')
            x += value * width
        y += BAR + 8
    return picture(title, subtitle, y + 12, [*legend, *body])


def picture(title, subtitle, height, body):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
                      f"<title>{escape(title)}</title>", STYLE, f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>',
                      f'<text class="title" x="20" y="30">{escape(title)}</text>', f'<text x="20" y="49">{escape(subtitle)}</text>', *body, "</svg>", ""])
