package api

import "coverd/index"

// SnapshotAnswer answers GET /v1/snapshot: what the snapshot is and what it was
// made from, and how old its data is, as in [SnapshotRef].
type SnapshotAnswer struct {
	*index.Info
	AgeDays int  `json:"age_days"`
	Stale   bool `json:"stale,omitempty"`
}
