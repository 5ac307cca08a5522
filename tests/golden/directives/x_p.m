// Output columns over the PEs.
Network columns {
    Layer CONV4 {
        Type: CONV
        Dimensions { K: 16, C: 8, R: 3, S: 3, Y': 16, X': 16 }
        Dataflow {
            TemporalMap(1,1) K;
            TemporalMap(1,1) C;
            TemporalMap(Sz(R),1) Y;
            SpatialMap(Sz(S),1) X;
            TemporalMap(Sz(R),Sz(R)) R;
            TemporalMap(Sz(S),Sz(S)) S;
        }
    }
}
