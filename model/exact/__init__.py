"""The exact cost model in closed form, compiled; `docs/cost_model.md` defines what it counts. This is the map of the folder.

Nothing here walks through time steps. The steps fall into few kinds, and each kind is counted once, times how often it comes.

**One example.** A convolution of K=4, C=2, Y'=5, R=3 (120 MACs), on two PEs that add to outputs K at a time:

    SpatialMap(1,1)  K      for k in 0..1:            # loop 0; unit u has channel 2k + u
    TemporalMap(1,1) C        for c in 0..1:          # loop 1
    TemporalMap(2,2) Y'         for y in 0..2:        # loop 2; chunks of 2, 2 and 1 rows
                                  each PE: 1 K x 1 C x 2 (or 1) Y' x 3 R

R has no loop, as each PE's tile holds all of it; G, N, S and X' have one index and none either. There are 12 steps.

- A *carry* at a loop is what happens as that loop advances: the loops outside it stand still, it moves on by one, and those inside
  go from their last index back to 0. Each step but the first follows on just one carry.
- The *role* of a dim's loop in a carry: OUTER (it stands still, at any index), OWN (it is the one that advances), INNER (it
  goes back to 0). In the carry at c, K is OUTER, C is OWN and Y' is INNER.
- Given a carry, dims do not depend on each other, but for those of a sliding window. So there are *six groups* of dims, (G) (N) (K)
  (C) (Y', R) (X', S), and a sum over a carry's steps is the product of six sums, one a group.
- A *state*, or class of a dim, stands for all steps in which its chunks have the same lengths, now and in the step before. In
  the carry at y, where Y' is OWN, it has two: new 2, old 2, shift 2 (one step, y = 1) and new 1, old 2, shift 2 (one step, y = 2).
  K is OUTER, so it has one, of two steps: new 1, old 1, shift 0, which cover 2 coordinates on 2 active units.
- A *class of a group* is a combination of its dims' states with its factors: how many coordinates of W, I and O its
  units have (U), and how many of those they had in the step before (V). Of (Y', R) in the carry at y, for I: U = 4 and V = 2 rows
  (new 2), U = 3 and V = 2 (new 1). New words of a step are the product of the groups' U, less the product of their V.
- A *unit run* is a stretch of units that are alike and evenly spaced: both of K's units are one. Where windows slide on several
  units, U and V are unions over runs, not over units.

So the words that enter the array, multicast counted once, come to

    carry      steps    W    I    O
    (first)        1    6    4    4
    at k           1    6    4    4
    at c           2   12    8    8
    at y           8    0   12   24
    all           12   24   28   40

W stays while y turns. I comes twice, once for each k, and rows that two chunks share come once. Each output enters once for each
c, and its partial sum comes back all times but the first: 40 - 20 = 20 words.

Time is no sum of products: each combination of classes, one of each group, is a kind of step that is timed once. The carry at y has
two, of four steps each (two of K times two of C). In half of them C is at index 0, where no partial sum comes in: the steps of
a class with all reduction loops at 0 are counted apart (REDUCTION_START, ZERO).

- The *depth of residency* of a tensor: how many outer loops of level 0 stand still while the L2 keeps what the tensor's axes cover.
  At depth 0 the L2 keeps I whole, 14 words that are fetched once; at depth 3 it keeps one chunk's 4 rows, and fetches 28 words. The
  depths of W, I and O are chosen together, for the least off-chip bits that fit.

**The order of work** of `ExactModel.evaluate`, and where each step is done. All that a thread works on lies in one record, the
*workspace* (`workspace`, by `mapsearch.model.records`), which each mapping overwrites.

1. `model`: checks the limits, and hands the batch's arrays on. `grid`: the same for all machines that differ in sizes and widths.
2. `count/mapping`: for each mapping, writes the nest of loops and looks at the L1; then goes through steps 3 to 6.
3. `count/residency`: the depths for the L2, and what crosses to off-chip memory.
4. `count/chains`: for each carry, outermost loop first, the states of each dim, in closed form; `count/roles`: the same of the few
   dims that more than two levels cut, from level to level. `count/unit_runs`: a dim's units as runs.
5. `count/classes`: the classes of each group; `count/union`: U and V where windows slide on several units and no formula holds.
6. `count/timing`: sums of words (products of the groups' sums), and of cycles: the kinds of steps of all carries are gathered in
   columns and timed in one loop of vector instructions. `count/rows`: arithmetic on classes, also a vector at a time.

`bound/` says, much faster, what a mapping costs at least, also where parts of it are still open: `all` is where to begin.
"""

from mapsearch.model.exact.grid import CostTables, Grid, cost_tables, limiting
from mapsearch.model.exact.model import ExactModel, check_limits

__all__ = ["CostTables", "ExactModel", "Grid", "check_limits", "cost_tables", "limiting"]
