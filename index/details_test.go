package index

import (
	"bytes"
	"testing"
)

// Details of a whole postcode are those of its premises one by one, and these
// are what each is asked for alone.
func TestDetailsEqualOneByOne(t *testing.T) {
	over := 0
	for seed := range uint64(12) {
		s := makeWorld(seed, 200+int(seed)*150).open(t)
		kept := []Details{{UPRN: 7}}
		for u := range s.AllPostcodes() {
			kept = u.AppendDetails(kept[:1])
			if len(kept) != 1+u.Len() || kept[0].UPRN != 7 {
				t.Fatalf("%v: %d details of %d premises behind %v", u.Postcode(), len(kept)-1, u.Len(), kept[0])
			}
			if first, end := u.premises(); first < end && first/blockRows < (end-1)/blockRows {
				over++
			}
			for i, d := range kept[1:] {
				p := u.Premises(i)
				if d.UPRN != p.UPRN() || d.At != p.At() || !bytes.Equal(d.Address, p.Address()) || d.Kind != p.Kind() {
					t.Fatalf("%v, %d: %+v, alone %+v", u.Postcode(), i, d, p.Details())
				}
			}
		}
		for p := range s.AllPremises() {
			claims, region, conflict := s.Kind(p.Kind())
			if claims != p.Claims() || region != p.Region() || conflict != p.Conflict() || int(p.Kind()) >= s.Kinds() {
				t.Fatalf("row %d: kind %d of %d: %v %v %t", p.Row(), p.Kind(), s.Kinds(), claims, region, conflict)
			}
		}
	}
	if over == 0 {
		t.Error("no postcode reaches over a block")
	}
}
