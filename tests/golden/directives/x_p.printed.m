Network columns {
    Layer CONV4 {
        Type: CONV
        Dimensions { K: 16, C: 8, R: 3, S: 3, Y': 16, X': 16 }
        Dataflow {
            TemporalMap(1,1) K;
            TemporalMap(1,1) C;
            TemporalMap(1,1) Y';
            SpatialMap(1,1) X';
            TemporalMap(3,3) R;
            TemporalMap(3,3) S;
        }
    }
}
