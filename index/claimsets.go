package index

// ClaimSet returns the claim set with a code, which must be less than
// [Snapshot.ClaimSets].
func (s *Snapshot) ClaimSet(code uint32) ClaimSet { return ClaimSet{s: s, code: code} }
