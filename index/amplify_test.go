package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"coverd/geo"
)

// Files in which few bytes stand for much, each in another way. Every one is
// refused, or opens, for twice its size and mostOpening more, in steps that grow
// with the file and not with its square. Counts are chosen so that what is
// quadratic would take minutes.

const mostOpening = 256 << 20

// replaced is the golden file with sections in place of its own.
func replaced(t *testing.T, with map[string][]byte) []byte {
	t.Helper()
	golden, err := openGolden(t)
	if err != nil {
		t.Fatal(err)
	}
	m := mutator{raws: unpacked(t, golden), count: true}
	m.names = sectionNames(t, golden)
	for _, name := range slices.Sorted(maps.Keys(with)) {
		if !slices.Contains(m.names, name) {
			m.names = append(m.names, name)
		}
	}
	maps.Copy(m.raws, with)
	file, err := m.file()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// longClaims are n different claims, each of which begins or ends on days of its
// own, and with a technology and a Variant of its own.
func longClaims(n int) (claims []Claim, raw []byte) {
	for i := range n {
		claims = append(claims, Claim{
			CSP: "x", AsOf: 1, Network: NetworkSouth, Availability: AvailabilityFalse,
			Anticipated: Day(10 + 2*i), End: Day(10 + 2*i), Technology: fmt.Sprint(i), Variant: fmt.Sprint(i),
		})
	}
	slices.SortFunc(claims, func(a, b Claim) int { return a.Compare(&b) })
	return claims, appendClaims(nil, claims)
}

// sectorsOf are the sections of postcodes, one in each of n sectors.
func sectorsOf(n int) map[string][]byte {
	var list []unit
	outcodes := (n + 9) / 10
	for o := range outcodes {
		for d := range min(10, n-10*o) {
			p, ok := geo.PostcodeFromOrdinal(uint32(o*geo.Inwards + d*geo.Inwards/10))
			if !ok {
				panic("no such postcode")
			}
			list = append(list, unit{Entry: Entry{Postcode: p}, inRegister: true, border: -1})
		}
	}
	with := map[string][]byte{}
	l := layout{units: list}
	unitSections(&l, func(name string, raw []byte) { with[name] = raw }, func(name string, n int, value func(int) int64) { with[name] = columnOf(n, value) })
	return with
}

// without are the sections of no premises at all.
func without(with map[string][]byte) map[string][]byte {
	empty := func() []byte { return columnOf(0, nil) }
	boxes, packed := packLocations(0, nil)
	for name, raw := range map[string][]byte{
		sectionPremBox: boxes, sectionPremLoc: packed, sectionPremHead: {}, sectionPremBits: make([]byte, 8),
		sectionRunHead: {}, sectionRunBits: make([]byte, 8), sectionOddHead: {}, sectionOddBits: make([]byte, 8),
		sectionGroupUnit: empty(),
	} {
		if with[name] == nil {
			with[name] = raw
		}
	}
	return with
}

// triangles is a mesh of n triangles that all contain the same points, in two
// bytes a vertex, as sections under a prefix.
func triangles(prefix string, n, shapes int) map[string][]byte {
	m := geo.Mesh{Rings: []uint32{0}, Polygons: []uint32{0}, Shapes: []uint32{0}}
	for i := range n {
		d := float64(i%8) / 1e7
		a := geo.LatLng{Lat: 52 + d, Lng: -1.5}
		m.Vertices = append(m.Vertices, a, geo.LatLng{Lat: 52 + 60/1e7, Lng: -1.5}, geo.LatLng{Lat: 52 + 30/1e7, Lng: -1.5 + 60/1e7}, a)
		m.Rings = append(m.Rings, uint32(len(m.Vertices)))
		m.Polygons = append(m.Polygons, uint32(i+1))
		if left := n - 1 - i; left < shapes {
			m.Shapes = append(m.Shapes, uint32(i+1))
		}
	}
	with := map[string][]byte{}
	meshSections(prefix, &m, func(name string, raw []byte) { with[name] = raw }, func(name string, n int, value func(int) int64) { with[name] = columnOf(n, value) })
	return with
}

// pastOf are the sections of a history of a night in which nothing was said
// otherwise, with what may have been said.
func pastOf(said []byte) map[string][]byte {
	head := binary.AppendVarint(append([]byte{historyLayout, 1}, make([]byte, idBytes)...), int64(worldDay)-1)
	return map[string][]byte{
		sectionPastHead: append(head, said...), sectionPastRows: make([]byte, pastHeadSize), sectionPastBits: make([]byte, bitPadding),
		sectionPastGone: recordsOf(0, goneFields(nil)...), sectionPastUPRN: columnOf(0, nil), sectionPastText: {},
	}
}

func TestHostileAmplification(t *testing.T) {
	n := pick(30_000, 3_000)
	constant := func(n int, v int64) []byte { return columnOf(n, func(int) int64 { return v }) }
	oneSet := func(k int) map[string][]byte {
		claims, raw := longClaims(k)
		with := without(sectorsOf(1))
		with[sectionClaims] = raw
		with[sectionSetItems], with[sectionSetEnds] = columnOf(len(claims), func(i int) int64 { return int64(2 * i) }), constant(1, int64(k))
		with[sectionKinds] = recordsOf(0, field{"set", nil}, field{"flags", nil})
		with[sectionProfItems], with[sectionProfCount], with[sectionProfEnds] = constant(1, 3), constant(1, 0), constant(1, 1)
		with[sectionAreaClaim] = constant(1, 0)
		return with
	}
	opens := map[string]bool{}
	for what, with := range map[string]func() map[string][]byte{
		"one claim set of very many claims": func() map[string][]byte { return oneSet(n) },
		"a long claim set in every sector": func() map[string][]byte {
			with := oneSet(n)
			maps.Copy(with, without(sectorsOf(n)))
			with[sectionProfItems], with[sectionProfCount] = constant(n, 3), constant(n, 0)
			with[sectionProfEnds] = columnOf(n, func(i int) int64 { return int64(i + 1) })
			return with
		},
		"many areas around one point": func() map[string][]byte {
			with := triangles("area", 3*n, 3*n)
			with[sectionAreaClaim] = constant(3*n, 0)
			return with
		},
		"one area of many polygons around one point": func() map[string][]byte {
			with := triangles("area", 3*n, 1)
			with[sectionAreaClaim] = constant(1, 0)
			return with
		},
		"Regions of many polygons around one point": func() map[string][]byte {
			with := triangles("region", 3*n, 3)
			with["region.edge"], with["region.edgeend"], with["region.grp"] = constant(0, 0), constant(0, 0), constant(0, 0)
			with["region.grpend"] = constant(2, 0)
			return with
		},
		"areas around the Earth": func() map[string][]byte {
			m := geo.NewMesh([]geo.MultiPolygon{{{slices.Repeat(geo.Ring{{Lat: -90, Lng: -180}, {Lat: 90, Lng: 180}, {Lat: 89, Lng: -180}}, n/30)}}})
			with := map[string][]byte{sectionAreaClaim: constant(1, 0)}
			meshSections("area", &m, func(name string, raw []byte) { with[name] = raw }, func(name string, n int, value func(int) int64) { with[name] = columnOf(n, value) })
			return with
		},
		"a vertex in two bytes": func() map[string][]byte {
			lat := append([]byte{7}, bytes.Repeat([]byte{0}, 200*n)...)
			last := int64(200 * n)
			return map[string][]byte{
				"area.lat": lat, "area.lng": lat, "area.ring": columnOf(2, func(i int) int64 { return int64(i) * last }),
			}
		},
		"a ring in eight bytes": func() map[string][]byte {
			lat := append([]byte{7}, bytes.Repeat([]byte{0}, 200*n)...)
			rings := 50*n + 1
			up := func(step int64) []byte { return columnOf(rings, func(i int) int64 { return step * int64(i) }) }
			return map[string][]byte{"area.lat": lat, "area.lng": lat, "area.ring": up(4), "area.poly": up(1), "area.shape": up(1), sectionAreaClaim: constant(rings-1, 0)}
		},
		"many claims": func() map[string][]byte {
			raw := binary.AppendUvarint(nil, uint64(60*n))
			var one []byte
			for i := range 60 * n {
				one = appendClaims(one[:0], []Claim{{AsOf: 1, Anticipated: Day(10 + i)}})
				raw = append(raw, one[1:]...)
			}
			return map[string][]byte{sectionClaims: raw}
		},
		"a past of many claims": func() map[string][]byte {
			raw := binary.AppendUvarint(nil, uint64(60*n))
			for i := range 60 * n {
				raw = append(appendClaim(raw, &Claim{Anticipated: Day(10 + i)}), 0)
			}
			return pastOf(append(raw, 0))
		},
		"a past of many aspects": func() map[string][]byte {
			return pastOf(append(binary.AppendUvarint([]byte{0}, uint64(60*n)), make([]byte, 120*n)...))
		},
		"a past of long aspects": func() map[string][]byte {
			raw := []byte{60}
			for i := range 60 {
				raw = append(appendClaim(raw, &Claim{Anticipated: Day(10 + i)}), 0)
			}
			raw = binary.AppendUvarint(raw, uint64(2*n))
			for range 2 * n {
				raw = append(raw, 0, 60)
				for i := range byte(60) {
					raw = append(raw, 2*i)
				}
			}
			return pastOf(raw)
		},
		"many sources": func() map[string][]byte {
			return map[string][]byte{sectionMeta: []byte(`{"as_of":"2026-11-22","sources":[` + string(bytes.Repeat([]byte("{},"), 100*n)) + `{}]}`)}
		},
		"a long list of preferences": func() map[string][]byte {
			_, raw := longClaims(10 * n)
			return map[string][]byte{
				sectionMeta: []byte(`{"as_of":"2026-11-22","prefer":[` + string(bytes.Repeat([]byte(`"North",`), 10*n)) + `"North"]}`), sectionClaims: raw,
			}
		},
		"a sector in fifty bytes": func() map[string][]byte {
			with := without(sectorsOf(20 * n))
			with[sectionProfItems], with[sectionProfCount], with[sectionProfEnds] = constant(0, 0), constant(0, 0), constant(20*n, 0)
			return with
		},
		"numbers of no bits": func() map[string][]byte {
			return map[string][]byte{"region.in": many(math.MaxUint32, 0)(nil), "region.edge": many(1<<30, 0)(nil)}
		},
	} {
		file := replaced(t, with())
		var s *Snapshot
		var err error
		if got := allocated(func() { s, err = OpenBytes(file) }); got > uint64(2*len(file)+mostOpening) {
			t.Errorf("%s: %d bytes allocated for %d", what, got, len(file))
		} else {
			t.Logf("%s: %d kB allocated for %d kB: %v", what, got>>10, len(file)>>10, err)
		}
		if err != nil && kindOf(err) != "damaged" {
			t.Errorf("%s: %v", what, err)
		}
		if opens[what] = err == nil; err == nil {
			p := geo.LatLng{Lat: 52 + 20/1e7, Lng: -1.5 + 3/1e7}
			for range 3 {
				s.AppendAreas(nil, p)
				s.Locate(p)
			}
		}
	}
	for _, what := range []string{"a past of many aspects", "a past of long aspects", "one claim set of very many claims", "many areas around one point", "one area of many polygons around one point", "Regions of many polygons around one point"} {
		if !opens[what] {
			t.Errorf("%s: it does not open, so that nothing is shown", what)
		}
	}
}

// TestManyAreasAtOnePoint: however many there are, each comes once, and in order.
func TestManyAreasAtOnePoint(t *testing.T) {
	with := triangles("area", 2000, 500)
	with[sectionAreaClaim] = columnOf(500, func(int) int64 { return 0 })
	s, err := OpenBytes(replaced(t, with))
	if err != nil {
		t.Fatal(err)
	}
	hits := s.AppendAreas(nil, geo.LatLng{Lat: 52 + 20/1e7, Lng: -1.5 + 3/1e7})
	if len(hits) != 500 {
		t.Fatalf("%d areas, want 500", len(hits))
	}
	for i := 1; i < len(hits); i++ {
		if a, b := hits[i-1], hits[i]; a.Ground > b.Ground || a.Ground == b.Ground && a.Index >= b.Index {
			t.Fatalf("area %d (%v m²) comes before %d (%v m²)", a.Index, a.Ground, b.Index, b.Ground)
		}
	}
}
