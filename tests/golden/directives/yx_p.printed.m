Network tiles {
    Layer CONV5 {
        Type: CONV
        Dimensions { N: 2, K: 16, C: 8, R: 3, S: 3, Y': 32, X': 32 }
        Dataflow {
            TemporalMap(1,1) K;
            TemporalMap(1,1) C;
            SpatialMap(1,1) Y';
            TemporalMap(8,8) X';
            TemporalMap(3,3) R;
            TemporalMap(3,3) S;
            Cluster(8, P);
            SpatialMap(1,1) X';
            TemporalMap(1,1) Y';
            TemporalMap(3,3) S;
        }
    }
}
