"""The lower bound: kernels that say what a mapping, whole or partly chosen, costs at least. This is the map of the folder.

A mapping is *open* where something of it is not chosen: a level, the size of a dim's loop at a level, or just the place of a loop
whose size is chosen. What the bound says holds for every way to fill it in.

- A loop *turns*, or iterates, where its chunks, one for each unit that shares it out, do not cover its tile at once.
- A tensor *lacks* a dim that is none of its axes, and a loop *moves* a tensor where each turn makes words of it new: all of a chunk
  (ANEW), or, of I, the rows that a window over Y' (SLIDES) or over R (TAPS) has not had yet.
- *Words* cross from the L2 to the L1s, counted once for all PEs; *fills* are counted at each PE.
- A tensor *passes* once, and once more for each turn of a loop that it lacks outside the innermost loop that moves it.
- A *box* is what the innermost tile of each dim may still be at most; the *kind* of a mapping is the dim of its innermost loop,
  which says what stays in the L1s.

The mappings of a batch are bounded one by one in `all`, where to begin. What is known of one is kept in the workspace (`state`) for
the next:

1. `chosen`: what is chosen, and which loops move what.   4. `offchip`: what crosses to off-chip memory.
2. `words`: words and fills, from the chosen loops;       5. `tiles`: words and fills, from what tiles fit an L1 (`reuse`).
   `outputs`: the most fills of O, which save reads.      6. `runtime` again: the steps of each loop of level 0, taken apart.
3. `runtime`: cycles of compute; of network and all.

After each of these a mapping that is beyond the limit is dropped. `per_word` has the prices of words.
"""
