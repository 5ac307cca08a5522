Network small {
    Layer CONV1 {
        Type: CONV
        Stride { Y: 2, X: 2 }
        Dimensions { K: 64, C: 16, R: 3, S: 3, Y': 28, X': 28 }
        Dataflow {
            SpatialMap(1,1) K;
            TemporalMap(8,8) C;
            TemporalMap(3,3) R;
            TemporalMap(3,3) S;
            TemporalMap(1,1) Y';
            TemporalMap(2,2) X';
            Cluster(8, P);
            SpatialMap(1,1) C;
            TemporalMap(1,1) Y';
            TemporalMap(1,1) X';
            TemporalMap(3,3) R;
            TemporalMap(3,3) S;
        }
    }
    Layer DEPTH-WISE {
        Type: DSCONV
        Dimensions { C: 32, R: 3, S: 3, Y': 14, X': 14 }
        Dataflow {
            SpatialMap(1,1) C;
            TemporalMap(1,1) Y';
            TemporalMap(1,1) X';
        }
    }
}
