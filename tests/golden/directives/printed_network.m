Network "every type" {
    Layer conv/1 {
        Type: CONV
        Stride { Y: 2, X: 2 }
        Dimensions { N: 2, K: 64, C: 3, R: 7, S: 7, Y': 112, X': 112 }
        Dataflow {
            SpatialMap(2,2) K;
            TemporalMap(1,1) X';
            Cluster(4, P);
            SpatialMap(1,1) C;
        }
    }
    Layer "grouped 1" {
        Type: NGCONV
        Dilation { Y: 2, X: 1 }
        Density { W: 0.5, I: 0.25, O: 1.0 }
        Dimensions { G: 4, K: 16, C: 8, R: 3, S: 3, Y': 14, X': 14 }
        Dataflow {
            SpatialMap(2,2) K;
            TemporalMap(1,1) X';
            Cluster(4, P);
            SpatialMap(1,1) C;
        }
    }
    Layer depthwise {
        Type: DSCONV
        Dimensions { G: 32, K: 1, C: 1, R: 3, S: 3, Y': 14, X': 14 }
        Dataflow {
            SpatialMap(2,2) K;
            TemporalMap(1,1) X';
            Cluster(4, P);
            SpatialMap(1,1) C;
        }
    }
    Layer transposed {
        Type: TRCONV
        ZeroMacs 300000
        Dimensions { K: 8, C: 16, R: 2, S: 2, Y': 28, X': 28 }
        Dataflow {
            SpatialMap(2,2) K;
            TemporalMap(1,1) X';
            Cluster(4, P);
            SpatialMap(1,1) C;
        }
    }
    Layer fc {
        Type: FC
        Dimensions { K: 1000, C: 512, X': 1 }
        Dataflow {
            SpatialMap(2,2) K;
            TemporalMap(1,1) X';
            Cluster(4, P);
            SpatialMap(1,1) C;
        }
    }
    Layer gemm {
        Type: GEMM
        Dimensions { G: 12, M: 128, N: 64, K: 512 }
        Dataflow {
            SpatialMap(2,2) N;
            TemporalMap(1,1) M;
            Cluster(4, P);
            SpatialMap(1,1) K;
        }
    }
    Layer channels {
        Type: DSCONV
        Dimensions { K: 2, C: 32, R: 3, S: 3, Y': 14, X': 14 }
        Dataflow {
            SpatialMap(1,1) C;
            TemporalMap(7,7) Y';
        }
    }
}
