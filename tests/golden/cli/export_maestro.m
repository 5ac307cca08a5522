Network net {
    Layer conv1 {
        Type: CONV
        Dimensions { K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10 }
        Dataflow {
            SpatialMap(1,1) K;
            TemporalMap(2,2) C;
            TemporalMap(4,4) Y';
            TemporalMap(3,3) R;
            TemporalMap(3,3) S;
            TemporalMap(8,8) X';
            Cluster(4, P);
            SpatialMap(1,1) X';
            TemporalMap(1,1) C;
            TemporalMap(1,1) K;
            TemporalMap(3,3) R;
            TemporalMap(3,3) S;
            TemporalMap(4,4) Y';
        }
    }
    Layer depthwise {
        Type: DSCONV
        Stride { Y: 2, X: 2 }
        Dimensions { R: 3, S: 3, Y: 9, X: 9, C: 8 }
        Dataflow {
            SpatialMap(1,1) C;
            TemporalMap(3,2) Y;
            TemporalMap(3,2) X;
            TemporalMap(3,3) R;
            TemporalMap(3,3) S;
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
