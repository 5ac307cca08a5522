Network net {
    Layer conv1 {
        Type: CONV
        Dimensions { K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10 }
        Dataflow {
            SpatialMap(1,1) K;
            TemporalMap(2,2) C;
            TemporalMap(4,4) Y';
            Cluster(4, P);
            SpatialMap(1,1) X';
            TemporalMap(1,1) C;
        }
    }
    Layer depthwise {
        Type: DSCONV
        Stride { Y: 2, X: 2 }
        Dimensions { C: 8, R: 3, S: 3, Y: 9, X: 9 }
        Dataflow {
            SpatialMap(1,1) C;
            TemporalMap(1,1) Y';
            TemporalMap(1,1) X';
        }
    }
    Layer product {
        Type: GEMM
        Dimensions { M: 4, N: 16, K: 3 }
        Dataflow {
            TemporalMap(1,1) M;
            TemporalMap(1,1) K;
            SpatialMap(1,1) N;
        }
    }
}
