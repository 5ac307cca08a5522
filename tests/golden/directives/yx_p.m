// Output stationary: output rows over clusters, output columns over the PEs of each; the inner level's rows are whole.
Network tiles {
    Layer CONV5 {
        Type: CONV
        Dimensions { N: 2, K: 16, C: 8, R: 3, S: 3, Y: 34, X: 34 }
        Dataflow {
            TemporalMap(1,1) K;
            TemporalMap(1,1) C;
            SpatialMap(Sz(R),1) Y;
            TemporalMap(10,8) X;
            TemporalMap(Sz(R),Sz(R)) R;
            TemporalMap(Sz(S),Sz(S)) S;
            Cluster(8,P);
            SpatialMap(Sz(S),1) X;
            TemporalMap(Sz(Y),1) Y;
            TemporalMap(Sz(S),Sz(S)) S;
        }
    }
}
