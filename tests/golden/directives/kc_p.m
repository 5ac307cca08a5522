// Weight stationary: output channels over clusters, input channels over the PEs of each.
Constant Lanes 8

Accelerator { PE { NumPEs: 64; } }

Network small {
	Layer CONV1 {
		Type: CONV
		Stride { X: 2, Y: 2 }
		Dimensions { K: 64, C: 16, R: 3, S: 3, Y: 57, X: 57 }
		Dataflow {
			SpatialMap(1,1) K;
			TemporalMap(Lanes,Lanes) C;
			TemporalMap(Sz(R),Sz(R)) R;
			TemporalMap(Sz(S),Sz(S)) S;
			TemporalMap(Sz(R),2) Y;	//one output row
			TemporalMap(5,4) X;//two output columns
			Cluster(Lanes,P);
			SpatialMap(1,1) C;
			TemporalMap(Sz(R),2) Y;
			TemporalMap(Sz(S),2) X;
			TemporalMap(Sz(R),Sz(R)) R;
			TemporalMap(Sz(S),Sz(S)) S;
		}
	}
	Layer DEPTH-WISE {
		Type: DSCONV
		Dimensions {C:32,R:3,S:3,Y:16,X:16}
		Dataflow { SpatialMap(1,1) C; TemporalMap(Sz(R),1) Y; TemporalMap(Sz(S),1) X; }
	}
}
