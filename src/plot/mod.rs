//! Axes and marks, to SVG and to terminal cells, with no word of the field.
