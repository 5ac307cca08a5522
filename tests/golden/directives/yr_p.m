// Row stationary: rows of outputs over clusters, filter rows with their input rows over the PEs of each.
Network rows {
    Layer CONV2 {
        Type: CONV
        Dimensions { K 16, C 8, R 3, S 3, Y 18, X 18 }
        Dataflow {
            TemporalMap(4,4) K
            TemporalMap(2,2) C
            SpatialMap(Sz(R),1) Y
            TemporalMap(Sz(S),1) X
            Cluster(Sz(R), L)
            SpatialMap(1,1) Y
            SpatialMap(1,1) R
            TemporalMap(Sz(S),Sz(S)) S
        }
    }
    // Filter rows and filter columns, one after the other, on a dilated filter.
    Layer CONV3 {
        Dataflow {
            SpatialMap(1,1) K; TemporalMap(1,1) Y'; TemporalMap(1,1) X';
            Cluster(Sz(R),P); SpatialMap(1,2) Y; SpatialMap(1,1) R;
            Cluster(Sz(S),P); SpatialMap(1,1) X; SpatialMap(1,1) S;
        }
        Dilation { Y: 2 }
        Dimensions { K: 16, C: 8, R: 3, S: 3, Y: 18, X: 18 }
        Type: CONV
    }
}
