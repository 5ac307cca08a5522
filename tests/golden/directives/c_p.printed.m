Network channels {
    Layer CONV6 {
        Type: CONV
        Dimensions { K: 16, C: 8, R: 3, S: 3, Y': 16, X': 16 }
        Dataflow {
            TemporalMap(1,1) K;
            TemporalMap(1,1) Y';
            TemporalMap(1,1) X';
            SpatialMap(1,1) C;
        }
    }
    Layer GEMM1 {
        Type: GEMM
        Dimensions { M: 100, N: 200, K: 300 }
        Dataflow {
            TemporalMap(16,16) M;
            TemporalMap(200,200) N;
            SpatialMap(1,1) K;
        }
    }
    Layer FC1 {
        Type: FC
        Dimensions { K: 10, C: 8, R: 7, S: 7 }
        Dataflow {
            SpatialMap(1,1) C;
        }
    }
}
