package geo

import "testing"

// A comb's edges reach over all its height: lists stay short all the same.
func TestSlabsOfAComb(t *testing.T) {
	const teeth = 20_000
	var comb Ring
	for i := range teeth {
		lng := -2 + 1e-4*float64(i)
		comb = append(comb, LatLng{52, lng}, LatLng{53, lng + 5e-5})
	}
	comb = append(comb, LatLng{51.9, 0}, LatLng{51.9, -2})
	m := NewMesh([]MultiPolygon{{{comb}}})
	s := NewSlabs(&m, 0)
	if len(s.edges) > 8*(len(comb)+1) {
		t.Errorf("%d entries for %d edges", len(s.edges), len(comb))
	}
	for i := range 200 {
		p := LatLng{51.89 + float64(i%113)*0.01, -2.001 + float64(i)*0.0101}
		if got, want := s.Contains(&m, p), comb.Contains(p); got != want {
			t.Errorf("%v: %v, want %v", p, got, want)
		}
	}
}

func TestSlabsOfNothing(t *testing.T) {
	for _, shapes := range [][]MultiPolygon{
		{{{}}},
		{{{{{52, -1}, {52, -1}, {52, -1}}}}},
		{{{{{52, -2}, {52, -1}, {52, -1.5}}}}}, // without height
		{{{{{52, -1}, {53, -1}, {52.5, -1}}}}}, // without width
	} {
		m := NewMesh(shapes)
		s := NewSlabs(&m, 0)
		for _, p := range []LatLng{{52, -1}, {52.5, -1}, {52, -1.5}, {52, -2}} {
			if s.Contains(&m, p) != shapes[0].Contains(p) || s.Contains(&m, p) {
				t.Errorf("%v contains %v", shapes, p)
			}
		}
	}
}

func TestMeshIsTheShapes(t *testing.T) {
	square := Ring{{52, -2}, {52, -1}, {53, -1}, {53, -2}}
	hole := Ring{{52.2, -1.8}, {52.4, -1.8}, {52.4, -1.6}}
	shapes := []MultiPolygon{{{square, hole}}, {}, {{square}, {hole}}}
	m := NewMesh(shapes)
	if m.Len() != 3 || len(m.EdgeList()) != 2*(len(square)+len(hole)) {
		t.Errorf("%d shapes, %d edges", m.Len(), len(m.EdgeList()))
	}
	for i, s := range shapes {
		if got := m.Shape(i); len(got) != len(s) || len(s) > 0 && got[0].Bound() != s[0].Bound() {
			t.Errorf("shape %d: %v, want %v", i, got, s)
		}
	}
	if new(Mesh).Len() != 0 {
		t.Error("the zero value has shapes")
	}
}
