"""Writes the glyph table of a font: code point, advance and outline (thousandths of an em, y up), one character a line.

    python glyphs.py Inter-Regular.otf > regular.tsv      (Inter 3.019, Debian fonts-inter 4.0~beta7+ds-1; fonttools 4)
"""
import sys

from fontTools.pens.basePen import BasePen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont


class Outline(BasePen):
    def __init__(self, glyphs):
        super().__init__(glyphs)
        self.parts, self.at = [], (0, 0)

    def relative(self, *points):
        text = ""
        for point in points:
            for c in (0, 1):
                number = str(round(point[c]) - self.at[c])
                text += number if not text or number.startswith("-") else " " + number
        return text

    def move(self, point):
        self.at = (round(point[0]), round(point[1]))

    def _moveTo(self, point):
        self.parts.append("M%d %d" % (round(point[0]), round(point[1])))
        self.move(point)

    def _lineTo(self, point):
        if (round(point[0]), round(point[1])) != self.at:
            self.parts.append("l" + self.relative(point))
        self.move(point)

    def _curveToOne(self, a, b, c):
        self.parts.append("c" + self.relative(a, b, c))
        self.move(c)

    def _closePath(self):
        self.parts.append("z")


RANGES = [(0x20, 0x7F), (0xA1, 0xAD), (0xAE, 0x180), (0x391, 0x3A2), (0x3A3, 0x3CA)]
SIGNS = "–—‘’“”•…‰′″‹›€−≈≠≤≥∞√∆←↑→↓↔⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉⁻"
font = TTFont(sys.argv[1])
glyphs, names, unit = font.getGlyphSet(), font.getBestCmap(), 1000 / font["head"].unitsPerEm
for code in sorted({c for a, b in RANGES for c in range(a, b)} | {ord(c) for c in SIGNS}):
    if code in names:
        pen = Outline(glyphs)
        glyphs[names[code]].draw(TransformPen(pen, (unit, 0, 0, unit, 0, 0)))
        print("%04X\t%d\t%s" % (code, round(glyphs[names[code]].width * unit), "".join(pen.parts)))
