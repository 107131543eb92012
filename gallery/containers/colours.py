"""What numbers mean as colours, where no profile says it: as Chromium has it, so that nobody is
shown one picture and sent another.

Pure numbers, no picture: profiles and tables for the one file that decodes (intake.py). Codes are
those of ITU-T H.273. What may show more than a screen (PQ, HLG) is toned down as Chromium does it:
the reference-white operator of SMPTE ST 2094-50, annex C.
"""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache

from gallery.containers import icc
from gallery.containers.common import Colour

Matrix = tuple[tuple[float, ...], ...]
Vector = tuple[float, ...]
Curve = Callable[[float], float]

D65, C, D50_XYZ = (0.3127, 0.3290), (0.310, 0.316), (0.9642, 1.0, 0.8249)
SRGB = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
BT2020 = (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
# White, red, green, blue (H.273, table 2).
PRIMARIES: dict[int, Vector] = {
    1: SRGB,
    4: (*C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (*C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: BT2020,
    10: (1 / 3, 1 / 3, 1, 0, 0, 1, 0, 0),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}


def power(exponent: float) -> Curve:
    return lambda value: value**exponent


def srgb(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def smpte_240(value: float) -> float:
    return value / 4 if value < 0.0913 else ((value + 0.1115) / 1.1115) ** (1 / 0.45)


# From what is stored to light (H.273, table 3), for what a screen shows whole. The curves of
# television are a screen's (BT.1886), not a camera's.
TELEVISION = (1, 6, 11, 14, 15)
TRANSFERS: dict[int, Curve] = {
    **dict.fromkeys(TELEVISION, power(2.4)),
    4: power(2.2),
    5: power(2.8),
    7: smpte_240,
    8: power(1),
    13: srgb,
    17: lambda value: min(1, 52.37 / 48 * value**2.6),
}
PQ, HLG = BEYOND_SCREENS = 16, 18
KNOWN_TRANSFERS = TRANSFERS.keys() | {PQ, HLG}

CURVE_POINTS = 1024
# A viewer's gamma within this of 1 / 2.2 is sRGB's, as in libpng.
GAMMA_THRESHOLD = 0.05


def known(primaries: int, transfer: int) -> bool:
    return primaries in PRIMARIES and transfer in KNOWN_TRANSFERS


def profile_of(colour: Colour) -> bytes | None:
    """Return a profile that says what `colour` does; None where that is sRGB, or beyond it."""
    if colour.cicp:
        primaries, transfer = colour.cicp
        if transfer in BEYOND_SCREENS or (primaries, transfer) == (1, 13):
            return None
        return _profile(PRIMARIES[primaries], TRANSFERS[transfer])
    if colour.profile:
        return colour.profile
    if not colour.gamma:
        return None
    if not colour.chromaticities and abs(2.2 / colour.gamma - 1) < GAMMA_THRESHOLD:
        return None
    return _profile(colour.chromaticities or SRGB, power(colour.gamma))


# ---- matrices --------------------------------------------------------------------------------


def _times(matrix: Matrix, vector: Iterable[float]) -> Vector:
    x, y, z = vector  # written out: a table of what is brighter than a screen takes 70,000 of these
    return tuple([a * x + b * y + c * z for a, b, c in matrix])


def _product(left: Matrix, right: Matrix) -> Matrix:
    return tuple(zip(*(_times(left, column) for column in zip(*right, strict=True)), strict=True))


def _inverse(matrix: Matrix) -> Matrix:
    """Return the inverse of three by three. Raises ZeroDivisionError if there is none."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    return tuple(tuple(value / determinant for value in row) for row in cofactors)


def _xyz(x: float, y: float) -> Vector:
    return (x / y, 1.0, (1 - x - y) / y)


def to_xyz(chromaticities: Vector) -> Matrix:
    """Return the matrix from light in these primaries to XYZ. Raises ZeroDivisionError."""
    white, *primaries = zip(chromaticities[::2], chromaticities[1::2], strict=True)
    columns = tuple(zip(*((x, y, 1 - x - y) for x, y in primaries), strict=True))
    amounts = _times(_inverse(columns), _xyz(*white))
    return tuple(tuple(a * b for a, b in zip(row, amounts, strict=True)) for row in columns)


BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def _to_d50(chromaticities: Vector) -> Matrix:
    """Return the matrix to XYZ as profiles have it, where white is D50 (ICC.1 annex E)."""
    here, there = (_times(BRADFORD, white) for white in (_xyz(*chromaticities[:2]), D50_XYZ))
    scale = tuple(
        tuple(there[row] / here[row] if row == column else 0.0 for column in range(3))
        for row in range(3)
    )
    adaptation = _product(_inverse(BRADFORD), _product(scale, BRADFORD))
    return _product(adaptation, to_xyz(chromaticities))


# ---- a profile of primaries and a curve (ICC.1) ----------------------------------------------


def _profile(chromaticities: Vector, curve: Curve) -> bytes:
    columns = zip(*_to_d50(chromaticities), strict=True)
    tags = {
        kind + b"XYZ": b"XYZ \0\0\0\0" + b"".join(map(_fixed, column))
        for kind, column in zip((b"r", b"g", b"b"), columns, strict=True)
    }
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + b"".join(map(_fixed, D50_XYZ))
    points = (round(65_535 * curve(step / (CURVE_POINTS - 1))) for step in range(CURVE_POINTS))
    table = b"curv\0\0\0\0" + CURVE_POINTS.to_bytes(4) + b"".join(v.to_bytes(2) for v in points)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), table)
    header = bytearray(icc.HEADER_BYTES)
    header[8:24] = b"\2\x10\0\0mntrRGB XYZ "
    header[36:40] = b"acsp"
    header[68:80] = b"".join(map(_fixed, D50_XYZ))
    return icc.written(header, tags)


def _fixed(value: float) -> bytes:
    """Return an `s15Fixed16Number`."""
    return max(-(2**31), min(2**31 - 1, round(65_536 * value))).to_bytes(4, signed=True)


# ---- what is brighter than a screen ----------------------------------------------------------

GRID = 33  # steps of each channel; between them the table is interpolated
REFERENCE_WHITE, USUAL_PEAK, MOST = 203.0, 1000.0, 10_000.0  # cd/m²
LUMINANCE_2020 = (0.2627, 0.6780, 0.0593)
BEND = 0.65  # ST 2094-50, annex C: how far the curve's middle point lies from its knee


def pq(value: float) -> float:
    """Return light for a value, 1 being reference white (SMPTE ST 2084)."""
    root = math.pow(value, 32 / 2523)
    light = max(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)
    return math.pow(light, 16_384 / 2610) * MOST / REFERENCE_WHITE


def hlg(value: float) -> float:
    """Return the scene's light for a value (BT.2100)."""
    if value <= 0.5:
        return value * value / 3
    return (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12


@lru_cache(maxsize=8)
def screen_table(primaries: int, transfer: int, peak_nits: float | None) -> tuple[float, ...]:
    """Return sRGB for every step of red, green and blue, red fastest: as Pillow's tables are."""
    to_2020 = _product(_inverse(to_xyz(BT2020)), to_xyz(PRIMARIES[primaries]))
    to_srgb = _product(_inverse(to_xyz(SRGB)), to_xyz(BT2020))
    gain = _gain(peak_nits)
    steps = [(pq if transfer == PQ else hlg)(step / (GRID - 1)) for step in range(GRID)]
    table: list[float] = []
    for blue in steps:
        for green in steps:
            for red in steps:
                light = _times(to_2020, (red, green, blue))
                if transfer == HLG:
                    light = _displayed(light)
                factor = gain(max(light))
                table += [_as_srgb(factor * value) for value in _times(to_srgb, light)]
    return tuple(table)


def _displayed(scene: Vector) -> Vector:
    """Return what a screen of 1000 cd/m² makes of a scene's light (BT.2100: gamma of 1.2)."""
    luminance = sum(a * b for a, b in zip(LUMINANCE_2020, scene, strict=True))
    factor = max(luminance, 0) ** 0.2 * USUAL_PEAK / REFERENCE_WHITE
    return tuple(factor * value for value in scene)


def _gain(peak_nits: float | None) -> Curve:
    """Return by how much light is multiplied whose strongest channel is given."""
    peak = max(min(peak_nits or USUAL_PEAK, MOST) / REFERENCE_WHITE, 1.0)
    white = 1 - 0.5 * min(math.log2(peak) / math.log2(USUAL_PEAK / REFERENCE_WHITE), 1)
    if peak == 1:
        return lambda strongest: 1.0
    middle = (1 - BEND + BEND / white, (1 - BEND) * white + BEND)

    def gain(strongest: float) -> float:
        if strongest <= 1:
            return white
        if strongest >= peak:
            return 1 / strongest
        # The point of a quadratic Bézier curve from (1, white) to (peak, 1) above `strongest`.
        a, b = 1 - 2 * middle[0] + peak, 2 * (middle[0] - 1)
        if abs(a) < 1e-9:
            t = (strongest - 1) / b
        else:
            t = (math.sqrt(b * b - 4 * a * (1 - strongest)) - b) / (2 * a)
        return ((1 - t) ** 2 * white + 2 * t * (1 - t) * middle[1] + t * t) / strongest

    return gain


def _as_srgb(light: float) -> float:
    """Return what is stored for light; beyond 0 and 1 too, so that no step bends at either."""
    if abs(light) <= 0.0031308:
        return 12.92 * light
    stored = 1.055 * math.pow(abs(light), 1 / 2.4) - 0.055
    return stored if light > 0 else -stored
