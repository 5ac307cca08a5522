// No local reuse: input channels, or the reduction of a GEMM, over the PEs.
Network channels {
    Layer CONV6 {
        Type: CONV
        Dimensions { K: 16, C: 8, R: 3, S: 3, Y: 18, X: 18 }
        Dataflow { TemporalMap(1,1) K; TemporalMap(Sz(R),1) Y; TemporalMap(Sz(S),1) X; SpatialMap(1,1) C; }
    }
    Layer GEMM1 {
        Type: GEMM
        Dimensions { M: 100, N: 200, K: 300 }
        Dataflow { TemporalMap(16,16) M; TemporalMap(Sz(N),Sz(N)) N; SpatialMap(1,1) K; }
    }
    Layer FC1 {
        Type: FC
        Dimensions { K: 10, C: 8, Y: 7, X: 7 }
        Dataflow { SpatialMap(1,1) C; }
    }
}
