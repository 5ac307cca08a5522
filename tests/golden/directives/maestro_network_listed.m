Network net {
    Layer conv1 {
        Type: CONV
        Dimensions { G: 1, K: 8, C: 4, R: 3, S: 3, Y': 8, X': 8 }
        Dataflow {
            SpatialMap(1,1) G;
            TemporalMap(4,4) K;
            TemporalMap(2,2) C;
            TemporalMap(4,4) Y';
            Cluster(4, P);
            SpatialMap(1,1) K;
            Cluster(4, P);
            SpatialMap(1,1) X';
            TemporalMap(1,1) C;
        }
    }
    Layer depthwise {
        Type: DSCONV
        Stride { Y: 2, X: 2 }
        Dimensions { C: 8, R: 3, S: 3, Y': 4, X': 4 }
        Dataflow {
            SpatialMap(8,8) C;
            TemporalMap(1,1) Y';
            TemporalMap(1,1) X';
            Cluster(8, P);
            SpatialMap(1,1) C;
        }
    }
    Layer product {
        Type: GEMM
        Dimensions { G: 1, M: 4, N: 16, K: 3 }
        Dataflow {
            SpatialMap(1,1) G;
            TemporalMap(1,1) M;
            TemporalMap(1,1) K;
            Cluster(16, P);
            SpatialMap(1,1) N;
        }
    }
}
