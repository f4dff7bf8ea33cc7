#include "api/rose_svg.h"

#include <math.h>

#include "api/svg.h"
#include "api/text.h"
#include "core/base/mathx.h"

#define WIDTH    560
#define HEIGHT   620
#define CENTRE_X 280
#define CENTRE_Y 336
#define RADIUS   224 /* pixels for the gradient's norm */
#define OUTLINE  180 /* points of the curve through all spokes' ends */
#define HEAD     11  /* pixels of the arrow's head */

static const char style[] =
    SVG_STYLE(".circle{stroke:#8c959f;stroke-width:1;stroke-dasharray:4 3;fill:none}"
              ".outline{stroke:#8c959f;stroke-width:.8;fill:none}.up{stroke:#d4650a;stroke-width:2}"
              ".down{stroke:#0969da;stroke-width:2}.up-text{fill:#d4650a}.down-text{fill:#0969da}"
              ".arrow{stroke:#1f2328;stroke-width:2.5;fill:none;stroke-linecap:round;stroke-linejoin:round}"
              ".point{fill:#1f2328}",
              ".point{fill:#e6edf3}.circle,.outline{stroke:#656d76}.arrow{stroke:#e6edf3}.up{stroke:#f0883e}"
              ".down{stroke:#4c9fff}.up-text{fill:#f0883e}.down-text{fill:#4c9fff}");

/* A unit vector's pixel at `length` of the radius; y goes up in mathematics, down on paper. */
static void put_pixel(struct text *out, double ux, double uy, double length)
{
    text_printf(out, "%.1f %.1f", CENTRE_X + RADIUS * length * ux, CENTRE_Y - RADIUS * length * uy);
}

/* What share of the gradient's norm f rises by along u. */
static double rate(const double gradient[2], double ux, double uy)
{
    return ux * gradient[0] + uy * gradient[1];
}

static void put_outline(struct text *out, const double gradient[2])
{
    text_string(out, "<path class=\"outline\" d=\"");
    for (int i = 0; i < OUTLINE; i++) {
        double ux, uy;

        mathx_sincos_turns_f64((double)i / OUTLINE, &uy, &ux);
        text_string(out, i == 0 ? "M" : "L");
        put_pixel(out, ux, uy, fabs(rate(gradient, ux, uy)));
    }
    text_string(out, "Z\"/>\n");
}

/* All spokes of one colour: those along which f rises, or falls. */
static void put_spokes(struct text *out, const double gradient[2], unsigned directions, int up)
{
    text_printf(out, "<path class=\"%s\" d=\"", up ? "up" : "down");
    for (unsigned i = 0; i < directions; i++) {
        double ux, uy;

        mathx_sincos_turns_f64((double)i / directions, &uy, &ux);
        double length = rate(gradient, ux, uy);
        if (up ? length > 0 : length < 0) {
            text_printf(out, "M%d %dL", CENTRE_X, CENTRE_Y);
            put_pixel(out, ux, uy, fabs(length));
        }
    }
    text_string(out, "\"/>\n");
}

static void put_arrow(struct text *out, const double gradient[2])
{
    const double back = 1 - (double)HEAD / RADIUS, aside = 0.5 * HEAD / RADIUS;

    text_printf(out, "<path class=\"arrow\" d=\"M%d %dL", CENTRE_X, CENTRE_Y);
    put_pixel(out, gradient[0], gradient[1], 1);
    text_string(out, "M");
    put_pixel(out, back * gradient[0] - aside * gradient[1], back * gradient[1] + aside * gradient[0], 1);
    text_string(out, "L");
    put_pixel(out, gradient[0], gradient[1], 1);
    text_string(out, "L");
    put_pixel(out, back * gradient[0] + aside * gradient[1], back * gradient[1] - aside * gradient[0], 1);
    text_string(out, "\"/>\n");
}

static void put_rose(struct text *out, const struct jet *jet, double norm, unsigned directions)
{
    const double gradient[2] = {jet->gx / norm, jet->gy / norm};

    text_printf(out, "<circle class=\"circle\" cx=\"%d\" cy=\"%d\" r=\"%d\"/>\n", CENTRE_X, CENTRE_Y, RADIUS);
    put_outline(out, gradient);
    put_spokes(out, gradient, directions, 1);
    put_spokes(out, gradient, directions, 0);
    put_arrow(out, gradient);
    text_printf(
        out,
        "<text x=\"24\" y=\"%d\"><tspan class=\"up-text\">orange: f rises</tspan>, <tspan class=\"down-text\">blue: f "
        "falls</tspan>; as far as a spoke is long. Arrow: the gradient.</text>\n",
        HEIGHT - 38);
    text_printf(out, "<text x=\"24\" y=\"%d\">Circle: the gradient's norm %.6g, which no direction exceeds.</text>\n",
                HEIGHT - 18, norm);
}

void rose_svg(const char *title, double x, double y, const struct jet *jet, unsigned directions, struct text *out)
{
    double norm = jet_gradient_norm(jet);

    text_printf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n",
                WIDTH, HEIGHT, WIDTH, HEIGHT);
    text_string(out, style);
    text_printf(out, "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n<text class=\"title\" x=\"24\" y=\"32\">", WIDTH,
                HEIGHT);
    svg_escaped(out, title);
    text_printf(out, "</text>\n<text x=\"24\" y=\"54\">Derivatives at (%.6g, %.6g)", x, y);
    if (isfinite(norm)) {
        text_printf(out, ": %.6g along x, %.6g along y", jet->gx, jet->gy);
    }
    text_string(out, "</text>\n");
    text_printf(out, "<path class=\"grid\" d=\"M%d %dH%dM%d %dV%d\"/>\n", CENTRE_X - RADIUS - 24, CENTRE_Y,
                CENTRE_X + RADIUS + 24, CENTRE_X, CENTRE_Y - RADIUS - 24, CENTRE_Y + RADIUS + 24);
    if (isfinite(norm) && norm > 0) {
        put_rose(out, jet, norm, directions);
    } else {
        text_printf(out, "<text class=\"middle\" x=\"%d\" y=\"%d\">%s</text>\n", CENTRE_X, CENTRE_Y - 16,
                    norm == 0 ? "The gradient is 0: f neither rises nor falls along any direction."
                              : "There is no gradient here.");
    }
    text_printf(out, "<circle class=\"point\" cx=\"%d\" cy=\"%d\" r=\"3.5\"/>\n</svg>\n", CENTRE_X, CENTRE_Y);
}
