"""An FPGA: the DSPs that MACs take and the block RAMs that memories take."""

from __future__ import annotations

from dataclasses import dataclass

Banks = tuple[int, int, int]  # of the memories of W, I and O

BRAM_BITS, BRAM_WIDTH = 18432, 36  # of a block RAM of Xilinx's chips


@dataclass(frozen=True, slots=True)
class Fpga:
    """What the parts of a machine take where it is built on an FPGA.

    dsp_per_mac: DSPs of one MAC unit. int8_packed: whether two MACs of 8-bit words share what one takes.
    bram_bits, bram_width: of one block RAM, its bits and its widest word; it may be half as wide and twice as deep, and so on.
    l1_banks, l2_banks: memories side by side that hold a tensor's words, each with ports of its own.
    lutram_below: a memory of fewer bytes is built of LUTs.
    """

    dsp_per_mac: int
    int8_packed: bool = False
    bram_bits: int = BRAM_BITS
    bram_width: int = BRAM_WIDTH
    l1_banks: Banks = (1, 1, 1)
    l2_banks: Banks = (1, 1, 1)
    lutram_below: int = 0

    def dsps(self, macs: int) -> int:
        """DSPs of these MAC units."""
        taken = macs * self.dsp_per_mac
        return -(-taken // 2) if self.int8_packed else taken

    def brams(self, size: int, copies: int, banks: int, word_bits: int) -> int:
        """Block RAMs of a memory of `size` bytes in all, of words that wide, that is `copies` memories in turn."""
        if size < self.lutram_below:
            return 0
        words = -(-8 * size // (copies * banks * word_bits))  # of one bank
        return copies * banks * min(-(-word_bits // width) * -(-words // depth) for width, depth in self._shapes())

    def _shapes(self) -> list[tuple[int, int]]:
        """Widths and depths of a block RAM."""
        depth = self.bram_bits // self.bram_width
        return [(self.bram_width >> times, depth << times) for times in range(self.bram_width.bit_length())]
