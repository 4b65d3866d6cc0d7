//! Files to grids: the bytes of an image become a volume or a mask.
