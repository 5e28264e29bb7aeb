package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/golang/geo/s2"

	"coverd/geo"
)

// list is a named column of a mesh or cover.
type list struct {
	name   string
	values *[]uint32
}

// meshLists are a mesh's columns of offsets, in file order.
func meshLists(m *geo.Mesh) []list {
	return []list{{".ring", &m.Rings}, {".poly", &m.Polygons}, {".shape", &m.Shapes}}
}

// coverLists are a cover's columns of numbers, in file order.
func coverLists(c *geo.Cover) []list {
	return []list{
		{".content", &c.Contents},
		{".inend", &c.InsideEnd},
		{".in", &c.Inside},
		{".grpend", &c.GroupEnd},
		{".grp", &c.Group},
		{".edgeend", &c.EdgeEnd},
		{".edge", &c.Edges},
	}
}

// meshSections writes a mesh under a prefix.
func meshSections(prefix string, m *geo.Mesh, add addFunc, col colFunc) {
	add(prefix+".lat", coordinates(len(m.Vertices), func(i int) float64 { return m.Vertices[i].Lat }))
	add(prefix+".lng", coordinates(len(m.Vertices), func(i int) float64 { return m.Vertices[i].Lng }))
	listSections(prefix, meshLists(m), col)
}

func listSections(prefix string, lists []list, col colFunc) {
	for _, l := range lists {
		v := *l.values
		col(prefix+l.name, len(v), func(i int) int64 { return int64(v[i]) })
	}
}

// coverSections writes a cover and its mesh under a prefix.
func coverSections(prefix string, c *geo.Cover, add addFunc, col colFunc) {
	meshSections(prefix, &c.Mesh, add, col)
	listSections(prefix, coverLists(c), col)
	words := make([]byte, 0, 8*len(c.Starts))
	for _, s := range c.Starts {
		words = binary.LittleEndian.AppendUint64(words, s)
	}
	add(prefix+".start", words)
	words = make([]byte, 0, 16*len(c.Refs))
	for _, p := range c.Refs {
		words = binary.LittleEndian.AppendUint64(words, math.Float64bits(p.Lat))
		words = binary.LittleEndian.AppendUint64(words, math.Float64bits(p.Lng))
	}
	add(prefix+".ref", words)
}

// readLists reads columns into plain slices. Of values that take no space there
// may be most: none of the lists has more of them than bytes are told in the
// columns of coordinates beside it.
func (r *reader) readLists(prefix string, lists []list, most int) {
	for _, l := range lists {
		c := r.column(prefix + l.name)
		r.check(prefix+l.name, c.within(0, math.MaxUint32))
		if c.width == 0 && c.n > most {
			r.check(prefix+l.name, fmt.Errorf("%d values without a bit, want at most %d", c.n, most))
		}
		if r.err != nil {
			return
		}
		if r.take(prefix+l.name, c.n, 4); r.err != nil {
			return
		}
		*l.values = make([]uint32, c.n)
		for i := range *l.values {
			(*l.values)[i] = uint32(c.at(i))
		}
	}
}

// mesh reads a mesh and checks that its offsets can be followed.
func (r *reader) mesh(prefix string) geo.Mesh {
	var m geo.Mesh
	lat := r.coordinates(prefix+".lat", 90)
	lng := r.coordinates(prefix+".lng", 180)
	r.readLists(prefix, meshLists(&m), len(r.bytes(prefix+".lat")))
	r.take(prefix+".poly", len(m.Polygons), polygonBytes)
	if r.err != nil {
		return m
	}
	if len(lat) != len(lng) {
		r.check(prefix+".lng", fmt.Errorf("%d longitudes for %d latitudes", len(lng), len(lat)))
		return m
	}
	m.Vertices = make([]geo.LatLng, len(lat))
	for i := range lat {
		m.Vertices[i] = geo.LatLng{Lat: lat[i], Lng: lng[i]}
	}
	r.check(prefix+".ring", offsets(m.Rings, len(m.Vertices)))
	r.check(prefix+".poly", offsets(m.Polygons, len(m.Rings)-1))
	r.check(prefix+".shape", offsets(m.Shapes, len(m.Polygons)-1))
	for i := 1; i < len(m.Rings) && r.err == nil; i++ {
		first, end := m.Rings[i-1], m.Rings[i]
		if end-first < 4 || m.Vertices[first] != m.Vertices[end-1] {
			r.check(prefix+".ring", fmt.Errorf("ring %d is not closed", i-1))
		}
	}
	return m
}

// coordinates reads the latitudes or longitudes of a mesh.
func (r *reader) coordinates(name string, limit float64) []float64 {
	raw := r.bytes(name)
	r.take(name, countCoordinates(raw), vertexBytes/2)
	if r.err != nil {
		return nil
	}
	out, err := parseCoordinates(raw, limit)
	r.check(name, err)
	return out
}

// offsets checks that a list starts at 0, never falls, and ends at n.
func offsets(list []uint32, n int) error {
	if len(list) == 0 || list[0] != 0 || int(list[len(list)-1]) != n {
		return fmt.Errorf("offsets do not run from 0 to %d", n)
	}
	return ends(list[1:], n)
}

// ends checks that a list never falls and ends at n.
func ends(list []uint32, n int) error {
	last := uint32(0)
	for i, v := range list {
		if v < last {
			return fmt.Errorf("offset %d falls from %d to %d", i, last, v)
		}
		last = v
	}
	if int(last) != n {
		return fmt.Errorf("offsets end at %d, not %d", last, n)
	}
	return nil
}

// cover reads a cover and checks that every number in it can be followed.
func (r *reader) cover(prefix string) *geo.Cover {
	c := &geo.Cover{Mesh: r.mesh(prefix)}
	starts, refs := r.bytes(prefix+".start"), r.bytes(prefix+".ref")
	r.readLists(prefix, coverLists(c), len(starts)+len(refs))
	if r.err != nil {
		return c
	}
	if len(starts)%8 != 0 || len(refs)%16 != 0 {
		r.check(prefix+".start", fmt.Errorf("%d and %d bytes", len(starts), len(refs)))
		return c
	}
	// Each run of edges is one of a ring.
	r.take(prefix+".ring", len(c.Mesh.Vertices)/runEdges+len(c.Mesh.Rings), runBytes)
	if r.take(prefix+".start", len(starts)+len(refs), 1); r.err != nil {
		return c
	}
	c.Starts, c.Refs = make([]uint64, 0, len(starts)/8), make([]geo.LatLng, 0, len(refs)/16)
	for ; len(starts) > 0; starts = starts[8:] {
		c.Starts = append(c.Starts, binary.LittleEndian.Uint64(starts))
		if n := len(c.Starts); n == 1 && c.Starts[0] != 0 || n > 1 && c.Starts[n-1] <= c.Starts[n-2] {
			r.check(prefix+".start", fmt.Errorf("range %d does not follow the one before", n-1))
			return c
		}
	}
	for ; len(refs) > 0; refs = refs[16:] {
		p := geo.LatLng{Lat: math.Float64frombits(binary.LittleEndian.Uint64(refs)), Lng: math.Float64frombits(binary.LittleEndian.Uint64(refs[8:]))}
		if !p.IsValid() {
			r.check(prefix+".ref", fmt.Errorf("reference %d is %v", len(c.Refs), p))
			return c
		}
		c.Refs = append(c.Refs, p)
	}
	if len(c.Starts) == 0 || len(c.Contents) != len(c.Starts) || len(c.InsideEnd) != len(c.Refs) || len(c.GroupEnd) != len(c.Refs) || len(c.EdgeEnd) != len(c.Group) {
		r.check(prefix+".content", fmt.Errorf("columns of %d, %d, %d, %d, %d values do not belong together", len(c.Starts), len(c.Contents), len(c.Refs), len(c.InsideEnd), len(c.GroupEnd)))
		return c
	}
	r.check(prefix+".content", below(c.Contents, len(c.Refs)))
	r.check(prefix+".inend", ends(c.InsideEnd, len(c.Inside)))
	r.check(prefix+".in", below(c.Inside, c.Mesh.Len()))
	r.check(prefix+".grpend", ends(c.GroupEnd, len(c.Group)))
	r.check(prefix+".grp", below(c.Group, 2*c.Mesh.Len()))
	r.check(prefix+".edgeend", ends(c.EdgeEnd, len(c.Edges)))
	r.check(prefix+".edge", below(c.Edges, len(c.Mesh.Vertices)-1))
	if r.err == nil {
		r.check(prefix+".start", edgeCells(c))
	}
	return c
}

// edgeCells checks that every range whose content has edges is one cell.
func edgeCells(c *geo.Cover) error {
	for i, content := range c.Contents {
		before := uint32(0)
		if content > 0 {
			before = c.GroupEnd[content-1]
		}
		if c.GroupEnd[content] == before {
			continue
		}
		if i+1 == len(c.Starts) {
			return errors.New("the last range has edges")
		}
		first, end := c.Starts[i], c.Starts[i+1]
		cell := s2.CellID(first + (end-first)/2 - 1)
		if !cell.IsValid() || uint64(cell.RangeMin()) != first || uint64(cell.RangeMax())+2 != end {
			return fmt.Errorf("range %d has edges and is no cell", i)
		}
	}
	return nil
}

// below checks that every number is less than n.
func below(list []uint32, n int) error {
	for i, v := range list {
		if int(v) >= n {
			return fmt.Errorf("value %d is %d, not below %d", i, v, n)
		}
	}
	return nil
}
