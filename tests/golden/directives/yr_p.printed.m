Network rows {
    Layer CONV2 {
        Type: CONV
        Dimensions { K: 16, C: 8, R: 3, S: 3, Y': 16, X': 16 }
        Dataflow {
            TemporalMap(4,4) K;
            TemporalMap(2,2) C;
            SpatialMap(1,1) Y';
            TemporalMap(1,1) X';
            Cluster(3, P);
            SpatialMap(1,1) R;
            TemporalMap(3,3) S;
        }
    }
    Layer CONV3 {
        Type: CONV
        Dilation { Y: 2, X: 1 }
        Dimensions { K: 16, C: 8, R: 3, S: 3, Y': 14, X': 16 }
        Dataflow {
            SpatialMap(1,1) K;
            TemporalMap(1,1) Y';
            TemporalMap(1,1) X';
            Cluster(3, P);
            SpatialMap(1,1) R;
            Cluster(3, P);
            SpatialMap(1,1) S;
        }
    }
}
