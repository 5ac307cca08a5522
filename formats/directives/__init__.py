"""The directive language: text to layers with mappings, and back.

A file holds one network; each layer states its shape and how it is mapped::

    Network tiny {
        Layer conv1 {
            Type: CONV
            Stride { Y: 2, X: 2 }
            Dimensions { K: 64, C: 3, R: 7, S: 7, Y: 229, X: 229 }
            Dataflow {
                SpatialMap(1,1) K;              // each unit: one output channel
                TemporalMap(Sz(R),2) Y;         // each step: the input rows of one output row
                Cluster(3, P);                  // each unit: 3 members, the units of the next level
                SpatialMap(1,1) C;
            }
        }
    }

Grammar. Space, newline, ``, ; : ( )`` and ``->`` separate tokens and mean nothing else; ``//`` starts a comment anywhere::

    file      = { "Constant" NAME INT | network | "Accelerator" [NAME] block } ;    one network a file
    network   = "Network" [NAME] "{" { layer } "}" ;
    layer     = "Layer" NAME "{" { item } "}" ;                 items in any order, each at most once
    item      = "Type" TYPE | "Dimensions" "{" { DIM COUNT } "}" | "Dataflow" "{" { directive } "}"
              | "Stride" "{" { AXIS COUNT } "}" | "Dilation" "{" { AXIS COUNT } "}"
              | "Density" "{" { TENSOR SHARE } "}" | "Pattern" "{" { TENSOR COUNT COUNT DIM } "}" | "ZeroMacs" COUNT ;
    directive = ( "TemporalMap" | "SpatialMap" ) SIZE OFFSET DIM | "Cluster" SIZE ( "P" | "L" ) ;
    SIZE      = COUNT | "Sz" DIM ;                              OFFSET = SIZE ; Sz(D) is the layer's size of D
    COUNT     = INT | NAME of a Constant ;                      1 to 2^31 - 1; ZeroMacs may be 0 and more
    NAME      = WORD | JSON string ;                            a WORD has no separator, brace, quote or "//"
    TYPE      = "CONV" | "DSCONV" | "NGCONV" | "FC" | "GEMM" | "TRCONV" ;
    DIM       = "N" | "G" | "K" | "C" | "R" | "S" | "Y" | "X" | "Y'" | "X'" | "M" | "B" ;
    AXIS      = "Y" | "X" ;    TENSOR = "W" | "I" | "O" ;       SHARE: of non-zeros, in (0, 1]: 0.35 or 7/20
    block     = "{" { any token | block } "}" ;                 ignored

A Pattern `W: 2:4 C` says that of every 4 weights along C 2 are not zero. Type, Dimensions and Dataflow must be there. Dilation,
Density, Pattern, ZeroMacs, JSON strings and the dim B are our additions to MAESTRO's language; the printer writes them only where
a layer needs them. The types and their dims (those in brackets are 1 unless given):

    CONV, TRCONV     K C R S Y X [N G]    TRCONV: the stride-1 convolution over the zero-inserted, padded input
    NGCONV           G K C R S Y X [N]    K and C are those of one group
    DSCONV           C R S Y X [N K]      C is the channels, K the outputs of each; or declare G as the channels (C is then 1)
    FC               K C [N G R S Y X]    R and S left out are the declared Y and X
    GEMM             M N K [G B R S Y']   (M x K)(K x N), G times; B matrices share one N x K; a GEMM is not windowed: no Y, X

Y and X are the sizes of the padded input and Y' and X' those of the output, Y' = (Y - (R-1) dilation - 1) // stride + 1; a layer
declares one of the two. A directive may name either: `size` input rows hold (size - (r-1) dilation - 1) / stride + 1 output
rows, where r is the level's chunk of R, and the offset must be that many times the stride (a size of the whole input tile or
more means the whole tile, whatever the offset). `SpatialMap(1,1) Y` beside `SpatialMap(1,1) R` in a level whose tile is one output
row is row-stationary: it means the map of R alone (with a dilation d it is written `SpatialMap(1,d) Y`). For all other dims the
offset must equal the size where the size is less than the tile.
"""

from mapsearch.formats.directives.layer_blocks import extents
from mapsearch.formats.directives.network import MappedLayer, Network, Places
from mapsearch.formats.directives.parser import parse
from mapsearch.formats.directives.printer import print_network

__all__ = ["MappedLayer", "Network", "Places", "extents", "parse", "print_network"]
